package main

import (
	"bytes"
	"os"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"
)

type answer struct {
	Predictions []float32 `json:"predictions"`
}

func main() {
	m := load()
	handle := func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) != "/invocations" || !ctx.IsPost() {
			ctx.Error("not found", fasthttp.StatusNotFound)
			return
		}
		var cars []Car
		decoder := json.NewDecoder(bytes.NewReader(ctx.PostBody()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&cars); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
		rows, err := matrix(cars)
		if err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
		predictions, err := m.predict(rows)
		if err != nil {
			ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
			return
		}
		body, err := json.Marshal(answer{predictions})
		if err != nil {
			ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
			return
		}
		ctx.SetContentType("application/json")
		ctx.SetBody(body)
	}
	must(fasthttp.ListenAndServe("127.0.0.1:"+os.Getenv("BENCH_PORT"), handle))
}
