package fleet

import (
	"os"

	ort "github.com/yalue/onnxruntime_go"
)

// Model is a session of ONNX Runtime.
type Model struct{ session *ort.DynamicAdvancedSession }

// Must ends the program on an error.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}

// Load starts ONNX Runtime (the library in BENCH_ONNXRUNTIME) with one thread.
func Load() Model {
	ort.SetSharedLibraryPath(os.Getenv("BENCH_ONNXRUNTIME"))
	Must(ort.InitializeEnvironment())
	options, err := ort.NewSessionOptions()
	Must(err)
	Must(options.SetIntraOpNumThreads(1))
	Must(options.SetInterOpNumThreads(1))
	path := os.Getenv("BENCH_MODEL")
	session, err := ort.NewDynamicAdvancedSession(path, []string{"features"}, []string{"prediction"}, options)
	Must(err)
	return Model{session}
}

// Predict takes rows of seven numbers and gives one number a row.
func (m Model) Predict(rows []float32) ([]float32, error) {
	count := int64(len(rows) / 7)
	input, err := ort.NewTensor(ort.NewShape(count, 7), rows)
	if err != nil {
		return nil, err
	}
	defer input.Destroy()
	output, err := ort.NewEmptyTensor[float32](ort.NewShape(count))
	if err != nil {
		return nil, err
	}
	defer output.Destroy()
	if err := m.session.Run([]ort.Value{input}, []ort.Value{output}); err != nil {
		return nil, err
	}
	return append([]float32(nil), output.GetData()...), nil
}
