package openapi

// object is a JSON object whose members keep their order. Documents are made of
// object, list, string, bool, int, float64 and number.
type object []member

type member struct {
	key   string
	value any
}

type list []any

// number is a JSON number as it is written.
type number string

// obj makes an object of keys and their values, in turn.
func obj(pairs ...any) object {
	o := make(object, 0, len(pairs)/2+2)
	for i := 0; i+1 < len(pairs); i += 2 {
		o = append(o, member{pairs[i].(string), pairs[i+1]}) //nolint:forcetypeassert // a key
	}
	return o
}

// set adds a member, or replaces the one of that key.
func (o *object) set(key string, value any) {
	for i := range *o {
		if (*o)[i].key == key {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, member{key, value})
}

// setText adds a member unless its text is empty.
func (o *object) setText(key, text string) {
	if text != "" {
		o.set(key, text)
	}
}

// get returns the value of a key, or nil.
func (o object) get(key string) any {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// del removes a member.
func (o *object) del(key string) {
	for i, m := range *o {
		if m.key == key {
			*o = append((*o)[:i:i], (*o)[i+1:]...)
			return
		}
	}
}
