package examples

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
)

//go:embed features.json
var embeddedFeatures []byte

type routeGuide struct {
	features []feature
	names    map[point]string
}

// newRouteGuide reads the features of a JSON file, or the embedded ones.
func newRouteGuide(path string) (*routeGuide, error) {
	data := embeddedFeatures
	if path != "" {
		var err error
		if data, err = os.ReadFile(path); err != nil { //nolint:gosec // the operator names it
			return nil, err
		}
	}
	g := &routeGuide{names: make(map[point]string)}
	if err := json.Unmarshal(data, &g.features); err != nil {
		return nil, fmt.Errorf("features %s: %w", path, err)
	}
	for _, f := range g.features {
		g.names[f.Location] = f.Name
	}
	return g, nil
}
