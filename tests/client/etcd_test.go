package client

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// etcdModules hold the .proto files of etcd's API, and where they go in an
// import root.
var etcdModules = map[string]string{
	"go.etcd.io/etcd/api/v3@v3.6.4":             "etcd/api",
	"github.com/gogo/protobuf@v1.3.2:gogoproto": "gogoproto",
}

// startEtcd starts an etcd of one member.
func startEtcd(t testing.TB) string {
	t.Helper()
	const free = "http://127.0.0.1:0"
	_, addr := startServer(t, exec.Command(installedServer(t, "etcd/server"), "--data-dir="+t.TempDir(), "--unsafe-no-fsync",
		"--listen-client-urls="+free, "--advertise-client-urls="+free, "--listen-peer-urls="+free,
		"--initial-advertise-peer-urls="+free, "--initial-cluster=default="+free), `"serving client traffic.*"127\.0\.0\.1:(\d+)"`)
	return addr
}

// etcdProtos lays out an import root as etcd's files name each other: google's
// files come with dyngate.
func etcdProtos(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for module, to := range etcdModules {
		module, from, _ := strings.Cut(module, ":")
		cmd := exec.CommandContext(rig.Context(t), "go", "mod", "download", "-json", module)
		cmd.Dir = root // outside of this module
		out, err := cmd.Output()
		if err != nil {
			rig.Missing(t, "%v: %v", cmd.Args, err)
		}
		var info struct{ Dir string }
		rig.Must(t, json.Unmarshal(out, &info))
		copyProtos(t, filepath.Join(info.Dir, from), filepath.Join(root, to))
	}
	return root
}

func copyProtos(t testing.TB, from, to string) {
	t.Helper()
	rig.Must(t, fs.WalkDir(os.DirFS(from), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".proto" {
			return err
		}
		text, err := os.ReadFile(filepath.Join(from, path))
		rig.Write(t, filepath.Join(to, path), string(text))
		return err
	}))
}

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

type etcdPair struct{ Key, Value []byte }

// TestEtcd uses etcd, which has no reflection, by its .proto files.
func TestEtcd(t *testing.T) {
	t.Parallel()
	addr, root := startEtcd(t), etcdProtos(t)
	call := func(method, data string, args ...string) rig.Result {
		return rig.Run(t, append([]string{"call", addr, method, "--proto", root, "-o", "ndjson", "-d", data}, args...)...)
	}
	c, err := dynclient.Dial(rig.Context(t), addr, dynclient.WithSources(dynclient.Path(root)))
	rig.Must(t, err)
	defer c.Close()
	putPair, err := dynclient.Unary[etcdPair, struct{}](c, "etcdserverpb.KV/Put")
	rig.Must(t, err)
	put := func(key, value string) {
		t.Helper()
		_, err := putPair(rig.Context(t), &etcdPair{[]byte(key), []byte(value)})
		rig.Must(t, err)
	}
	// The subtests share revisions, so they are not parallel.
	t.Run("no reflection", func(t *testing.T) {
		rig.Run(t, "list", addr).Want(t, 76, "", addr+" has no reflection service: the schema must come from files")
		rig.Run(t, "call", addr, "KV/Range").Want(t, 76, "", addr+" has no reflection service: the schema must come from files")
	})
	t.Run("list", func(t *testing.T) {
		r := rig.Run(t, "list", "--proto", root)
		r.Want(t, 0, "etcdserverpb.Auth\netcdserverpb.Cluster\netcdserverpb.KV\netcdserverpb.Lease\netcdserverpb.Maintenance\netcdserverpb.Watch\n")
	})
	t.Run("KV", func(t *testing.T) {
		put("fruit", "plum")
		r := call("etcdserverpb.KV/Range", `{"key": "`+base64Of("fruit")+`"}`)
		r.Want(t, 0, r.Stdout)
		rig.WantText(t, r.Stdout, `"key":"`+base64Of("fruit")+`"`, `"value":"`+base64Of("plum")+`"`, `"count":"1"`)
		call("KV/Range", `{}`).Want(t, 67, "", "INVALID_ARGUMENT (3): etcdserver: key is not provided")
	})
	t.Run("compacted", func(t *testing.T) {
		for i := range 3 {
			put("fruit", strconv.Itoa(i))
		}
		r := call("KV/Compact", `{"revision": 3}`)
		r.Want(t, 0, r.Stdout)
		call("KV/Range", `{"key": "`+base64Of("fruit")+`", "revision": 2}`).Want(t, 75, "",
			"OUT_OF_RANGE (11): etcdserver: mvcc: required revision has been compacted", "etcdserverpb.KV/Range at "+addr)
		call("KV/Range", `{"key": "`+base64Of("fruit")+`", "revision": "9999"}`).Want(t, 75, "", "OUT_OF_RANGE (11): ", "future revision")
	})
	t.Run("watch", func(t *testing.T) {
		c := rig.Start(t, "call", addr, "Watch/Watch", "--proto", root, "-o", "ndjson", "-d", "-")
		c.Type(`{"createRequest": {"key": "` + base64Of("seen") + `", "watchId": 7}}`)
		c.AwaitStdout(`"watchId":"7","created":true`)
		put("seen", "one")
		c.AwaitStdout(`"value":"` + base64Of("one") + `"`)
		put("unseen", "two")
		put("seen", "three")
		c.AwaitStdout(`"value":"` + base64Of("three") + `"`)
		c.Type(`{"cancelRequest": {"watchId": "7"}}`)
		c.AwaitStdout(`"canceled":true`)
		rig.Must(t, c.Stdin.Close()) // which does not end a watch
		c.Signal(os.Interrupt)
		r := c.Result()
		r.Want(t, 130, r.Stdout, "stopped by signal: interrupt")
		if strings.Contains(r.Stdout, base64Of("unseen")) {
			t.Errorf("it has watched another key:\n%s", r.Stdout)
		}
	})
	t.Run("lease", func(t *testing.T) {
		r := call("LeaseGrant", `{"ID": 42, "TTL": 600}`)
		r.Want(t, 0, r.Stdout)
		rig.WantText(t, r.Stdout, `"ID":"42","TTL":"600"`)
		c := rig.Start(t, "call", addr, "LeaseKeepAlive", "--proto", root, "-o", "ndjson", "-d", "-")
		for range 3 {
			before := strings.Count(c.Stdout.String(), `"TTL":"600"`)
			c.Type(`{"ID": "42"}`)
			rig.Eventually(t, "an answer", func() bool { return strings.Count(c.Stdout.String(), `"TTL":"600"`) == before+1 })
		}
		rig.Must(t, c.Stdin.Close())
		r = c.Result()
		r.Want(t, 0, r.Stdout)
		call("LeaseRevoke", `{"ID": 43}`).Want(t, 69, "", "NOT_FOUND (5): etcdserver: requested lease not found")
	})
}
