package main

import (
	"bytes"
	"os"

	"bench/fleet"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"
)

type answer struct {
	Predictions []float32 `json:"predictions"`
}

func main() {
	m := fleet.Load()
	handle := func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) != "/invocations" || !ctx.IsPost() {
			ctx.Error("not found", fasthttp.StatusNotFound)
			return
		}
		var cars []fleet.Car
		decoder := json.NewDecoder(bytes.NewReader(ctx.PostBody()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&cars); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
		rows, err := fleet.Matrix(cars)
		if err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
		predictions, err := m.Predict(rows)
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
	fleet.Must(fasthttp.ListenAndServe("127.0.0.1:"+os.Getenv("BENCH_PORT"), handle))
}
