// Package fleet is what the Go peers share: cars that are checked by hand (Go has no constraints in types), and the
// model that answers for them.
package fleet

import (
	"errors"
	"fmt"
	"math"
)

// Car has pointers, so that a field that is missing is told from a zero.
type Car struct {
	Cylinders    *int64   `json:"cylinders"`
	Displacement *float64 `json:"displacement"`
	Horsepower   *float64 `json:"horsepower"`
	Weight       *int64   `json:"weight"`
	Acceleration *float64 `json:"acceleration"`
	ModelYear    *int64   `json:"model_year"`
	Origin       *string  `json:"origin"`
}

var origins = map[string]float32{"USA": 0, "Europe": 1, "Japan": 2}

func whole(name string, value *int64, low, high int64) (float32, error) {
	if value == nil || *value < low || *value > high {
		return 0, fmt.Errorf("%s: expected a whole number from %d to %d", name, low, high)
	}
	return float32(*value), nil
}

func number(name string, value *float64, low, high float64) (float32, error) {
	if value == nil || !(*value >= low && *value <= high) {
		return 0, fmt.Errorf("%s: expected a number from %g to %g", name, low, high)
	}
	return float32(*value), nil
}

// Matrix checks the cars and gives them as rows of seven numbers.
func Matrix(cars []Car) ([]float32, error) {
	if len(cars) == 0 {
		return nil, errors.New("no rows")
	}
	rows := make([]float32, 0, 7*len(cars))
	for i := range cars {
		row, err := cars[i].values()
		if err != nil {
			return nil, fmt.Errorf("row %d, %w", i, err)
		}
		rows = append(rows, row[:]...)
	}
	return rows, nil
}

func (c *Car) values() (row [7]float32, err error) {
	if row[0], err = whole("cylinders", c.Cylinders, 2, 16); err != nil {
		return
	}
	if row[1], err = number("displacement", c.Displacement, 30, 800); err != nil {
		return
	}
	row[2] = float32(math.NaN())
	if c.Horsepower != nil {
		if row[2], err = number("horsepower", c.Horsepower, 20, 500); err != nil {
			return
		}
	}
	if row[3], err = whole("weight", c.Weight, 1000, 8000); err != nil {
		return
	}
	if row[4], err = number("acceleration", c.Acceleration, 3, 40); err != nil {
		return
	}
	if row[5], err = whole("model_year", c.ModelYear, 1970, 1990); err != nil {
		return
	}
	if c.Origin == nil {
		return row, errors.New("origin: missing")
	}
	origin, known := origins[*c.Origin]
	if !known {
		return row, fmt.Errorf("origin: unknown %q", *c.Origin)
	}
	row[6] = origin
	return row, nil
}
