module bench/go_nethttp

go 1.24.0

require bench/fleet v0.0.0

require github.com/yalue/onnxruntime_go v1.27.0 // indirect

replace bench/fleet => ../shared/fleet
