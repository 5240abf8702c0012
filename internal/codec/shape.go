package codec

// Shape returns what the shape of a method is called, by whether it streams its
// requests and its responses, and the name of the function that binds Go
// functions of that shape, for errors.
func Shape(client, server bool) (shape, binder string) {
	switch {
	case client && server:
		return "bidirectional-streaming", "Bidi"
	case client:
		return "client-streaming", "ClientStream"
	case server:
		return "server-streaming", "ServerStream"
	}
	return "unary", "Unary"
}
