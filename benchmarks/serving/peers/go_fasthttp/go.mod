module bench/go_fasthttp

go 1.24.0

require (
	bench/fleet v0.0.0
	github.com/goccy/go-json v0.10.5
	github.com/valyala/fasthttp v1.62.0
)

require (
	github.com/andybalholm/brotli v1.1.1 // indirect
	github.com/klauspost/compress v1.18.0 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/yalue/onnxruntime_go v1.27.0 // indirect
)

replace bench/fleet => ../shared/fleet
