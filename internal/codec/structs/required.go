package structs

import (
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// The decoder only records that some occurrence of a message lacked a required
// field. That may not be an error: a later occurrence may have the field, or
// another member of its oneof, or a later entry of its map, may have replaced the
// message. So in this case the input, which is well-formed, is read a second time
// for its required fields alone. An error is likely then, so speed does not
// matter.

// presence is what was found in one message.
type presence struct {
	seen    map[protowire.Number]bool
	merged  map[*field][]byte       // occurrences of a nested message, joined: that is how they merge
	count   map[*field]int          // elements of lists
	entries map[*field]entriesByKey // the last entry of each key
}

type entriesByKey map[string]*lastEntry

// lastEntry is the value of an entry, joined if it has several.
type lastEntry struct {
	label string
	value []byte
}

// appendMissing appends the paths of the required fields that are missing in the
// message b, up to wire.MaxMissing paths.
func (d *decoder) appendMissing(pl *plan, b []byte, path string, out []string) []string {
	if len(out) >= wire.MaxMissing {
		return out
	}
	if leaf, ok := pl.leaf.(generatedLeaf); ok {
		return leaf.appendMissing(b, path, out)
	}
	if !pl.hasRequired || pl.leaf != nil {
		return out
	}
	found := presence{map[protowire.Number]bool{}, map[*field][]byte{}, map[*field]int{}, map[*field]entriesByKey{}}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(num, typ, b[n:])
		if f := pl.lookup(protowire.EncodeTag(num, typ)); f != nil {
			out = d.addValue(&found, f, typ, b[n:n+size], path, out)
		}
		b = b[n+size:]
	}
	for _, r := range pl.required {
		if !found.seen[r.num] && len(out) < wire.MaxMissing {
			out = append(out, wire.Join(path, r.name))
		}
	}
	for i := range pl.fields {
		f := &pl.fields[i]
		if chunk, ok := found.merged[f]; ok {
			out = d.appendMissing(f.sub, chunk, wire.Join(path, f.name), out)
		}
		for _, ent := range found.entries[f] {
			out = d.appendMissing(f.sub.fields[1].sub, ent.value, wire.Join(path, f.name+ent.label), out)
		}
	}
	return out
}

// addValue adds the value raw of a field.
func (d *decoder) addValue(found *presence, f *field, typ protowire.Type, raw []byte, path string, out []string) []string {
	if typ == protowire.VarintType && f.enum != nil {
		if x, _ := protowire.ConsumeVarint(raw); f.enum.rejects(int32(x)) {
			return out
		}
	}
	num := protowire.Number(f.tag >> 3)
	found.seen[num] = true
	for _, rival := range f.rivals {
		delete(found.merged, rival)
	}
	if f.sub == nil {
		return out
	}
	var body []byte
	if typ == protowire.StartGroupType {
		body, _ = protowire.ConsumeGroup(num, raw)
	} else {
		body, _ = protowire.ConsumeBytes(raw)
	}
	switch {
	case f.maps != nil:
		d.addEntry(found, f, body)
	case f.counted:
		i := found.count[f]
		found.count[f]++
		return d.appendMissing(f.sub, body, wire.Join(path, f.name+"["+strconv.Itoa(i)+"]"), out)
	default:
		found.merged[f] = append(found.merged[f], body...)
	}
	return out
}

func (d *decoder) addEntry(found *presence, f *field, b []byte) {
	value := &f.sub.fields[1]
	if value.sub == nil {
		return
	}
	ent := newEntry(f.sub.typ)
	d.depth++ // it was not too deep before
	_ = d.sub(f.sub, ent.mem, b)
	d.depth--
	var joined []byte
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(num, typ, b[n:])
		if f.sub.lookup(protowire.EncodeTag(num, typ)) == value {
			body, _ := protowire.ConsumeBytes(b[n : n+size])
			joined = append(joined, body...)
		}
		b = b[n+size:]
	}
	if found.entries[f] == nil {
		found.entries[f] = entriesByKey{}
	}
	found.entries[f][fmt.Sprint(ent.key)] = &lastEntry{ent.label(), joined}
}

func (l generatedLeaf) appendMissing(b []byte, path string, out []string) []string {
	m := l.at(newOf(l.typ))
	_ = proto.UnmarshalOptions{AllowPartial: true}.Unmarshal(b, m)
	for _, name := range missingIn(m.ProtoReflect()) {
		if len(out) < wire.MaxMissing {
			out = append(out, wire.Join(path, name))
		}
	}
	return out
}

// missingIn lists the required fields that are not set in m and below it, at most
// wire.MaxMissing.
func missingIn(m protoreflect.Message) []string {
	var out []string
	for n := range m.Descriptor().RequiredNumbers().Len() {
		fd := m.Descriptor().Fields().ByNumber(m.Descriptor().RequiredNumbers().Get(n))
		if !m.Has(fd) {
			out = append(out, string(fd.Name()))
		}
	}
	below := func(label string, v protoreflect.Value) {
		if len(out) >= wire.MaxMissing {
			return
		}
		for _, name := range missingIn(v.Message()) {
			out = append(out, wire.Join(label, name))
		}
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := string(fd.Name())
		switch {
		case fd.IsMap() && fd.MapValue().Message() != nil:
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				label := k.String()
				if fd.MapKey().Kind() == protoreflect.StringKind {
					label = wire.Label(label)
				}
				below(name+"["+label+"]", v)
				return true
			})
		case fd.IsMap() || fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				below(name+"["+strconv.Itoa(i)+"]", v.List().Get(i))
			}
		default:
			below(name, v)
		}
		return true
	})
	slices.Sort(out)
	return out[:min(len(out), wire.MaxMissing)]
}
