package webclients

import (
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }
