package main

import (
	"os"

	ort "github.com/yalue/onnxruntime_go"
)

type model struct{ session *ort.DynamicAdvancedSession }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// load starts ONNX Runtime (the library in BENCH_ONNXRUNTIME) with one thread.
func load() model {
	ort.SetSharedLibraryPath(os.Getenv("BENCH_ONNXRUNTIME"))
	must(ort.InitializeEnvironment())
	options, err := ort.NewSessionOptions()
	must(err)
	must(options.SetIntraOpNumThreads(1))
	must(options.SetInterOpNumThreads(1))
	path := os.Getenv("BENCH_MODEL")
	session, err := ort.NewDynamicAdvancedSession(path, []string{"features"}, []string{"prediction"}, options)
	must(err)
	return model{session}
}

// predict takes rows of seven numbers and gives one number a row.
func (m model) predict(rows []float32) ([]float32, error) {
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
