package examples

import (
	"context"
	"iter"
	"math"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The messages of protos/routeguide/routeguide.proto. The JSON tags are for
// the file of features.
type (
	point struct {
		Latitude  int32 `json:"latitude"`
		Longitude int32 `json:"longitude"`
	}
	rectangle struct{ Lo, Hi point }
	feature   struct {
		Name     string `json:"name"`
		Location point  `json:"location"`
	}
	routeNote struct {
		Location point
		Message  string
	}
	routeSummary struct {
		PointCount, FeatureCount, Distance, ElapsedTime int32
	}
)

func (g *routeGuide) getFeature(_ context.Context, in *point) (*feature, error) {
	return &feature{Name: g.names[*in], Location: *in}, nil
}

func (g *routeGuide) listFeature(_ context.Context, in *rectangle) iter.Seq2[*feature, error] {
	return func(yield func(*feature, error) bool) {
		for _, f := range g.features {
			if in.contains(f.Location) && !yield(&f, nil) {
				return
			}
		}
	}
}

func (r *rectangle) contains(p point) bool {
	return between(p.Latitude, r.Lo.Latitude, r.Hi.Latitude) &&
		between(p.Longitude, r.Lo.Longitude, r.Hi.Longitude)
}

func between(v, a, b int32) bool { return v >= min(a, b) && v <= max(a, b) }

func (g *routeGuide) recordRoute(_ context.Context, in iter.Seq2[*point, error]) (*routeSummary, error) {
	var (
		sum    routeSummary
		last   *point
		metres float64
		start  = time.Now()
	)
	for p, err := range in {
		if err != nil {
			return nil, err
		}
		sum.PointCount++
		if g.names[*p] != "" {
			sum.FeatureCount++
		}
		if last != nil {
			metres += distance(*last, *p)
		}
		last = p
	}
	sum.Distance = int32(min(metres, math.MaxInt32))
	sum.ElapsedTime = int32(time.Since(start).Seconds())
	return &sum, nil
}

// distance is the great-circle distance of two points in metres, by the
// haversine formula.
func distance(a, b point) float64 {
	const earthRadius = 6_371_000
	radians := func(e7 int32) float64 { return float64(e7) / 1e7 * math.Pi / 180 }
	lat1, lat2 := radians(a.Latitude), radians(b.Latitude)
	sinLat := math.Sin((lat2 - lat1) / 2)
	sinLng := math.Sin((radians(b.Longitude) - radians(a.Longitude)) / 2)
	h := sinLat*sinLat + math.Cos(lat1)*math.Cos(lat2)*sinLng*sinLng
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

// maxNotes bounds what one call of routeChat remembers.
const maxNotes = 10_000

// routeChat remembers the notes of this call only.
func (g *routeGuide) routeChat(_ context.Context, in iter.Seq2[*routeNote, error]) iter.Seq2[*routeNote, error] {
	return func(yield func(*routeNote, error) bool) {
		notes := make(map[point][]*routeNote)
		count := 0
		for note, err := range in {
			if count++; err == nil && count > maxNotes {
				err = status.Errorf(codes.ResourceExhausted, "a chat takes %d notes at most", maxNotes)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, earlier := range notes[note.Location] {
				if !yield(earlier, nil) {
					return
				}
			}
			notes[note.Location] = append(notes[note.Location], note)
		}
	}
}
