package main

import (
	"encoding/json"
	"net/http"
	"os"

	"bench/fleet"
)

type answer struct {
	Predictions []float32 `json:"predictions"`
}

func main() {
	m := fleet.Load()
	http.HandleFunc("POST /invocations", func(w http.ResponseWriter, r *http.Request) {
		var cars []fleet.Car
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&cars); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		rows, err := fleet.Matrix(cars)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		predictions, err := m.Predict(rows)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer{predictions})
	})
	fleet.Must(http.ListenAndServe("127.0.0.1:"+os.Getenv("BENCH_PORT"), nil))
}
