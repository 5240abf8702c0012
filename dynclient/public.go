package dynclient

import "google.golang.org/protobuf/types/descriptorpb"

// The bounds of the public imports that a server declares. The libraries that
// link its files walk along every way that leads through them, for every file.
const (
	maxPublic = 1000 // public imports of all files
	maxWays   = 200  // ways along them from any file
)

// publicImports are those of the files that a server has told of.
type publicImports struct {
	of    map[string][]string
	count int
}

// add adds those of a file and reports whether they are still few.
func (p *publicImports) add(fd *descriptorpb.FileDescriptorProto) bool {
	if len(fd.GetPublicDependency()) == 0 {
		return true
	}
	if p.of == nil {
		p.of = make(map[string][]string)
	}
	var list []string
	for _, i := range fd.GetPublicDependency() {
		if i >= 0 && int(i) < len(fd.GetDependency()) {
			list = append(list, fd.GetDependency()[i])
		}
	}
	p.of[fd.GetName()] = list
	if p.count += len(list); p.count > maxPublic {
		return false
	}
	known := make(map[string]int, len(p.of))
	for name := range p.of {
		if p.ways(name, known) > maxWays {
			return false
		}
	}
	return true
}

// ways counts the ways that lead from a file along public imports; more than
// maxWays are not told apart.
func (p *publicImports) ways(name string, known map[string]int) int {
	if n, ok := known[name]; ok {
		return n
	}
	known[name] = 0 // for cycles
	n := 0
	for _, to := range p.of[name] {
		n = min(n+1+p.ways(to, known), maxWays+1)
	}
	known[name] = n
	return n
}
