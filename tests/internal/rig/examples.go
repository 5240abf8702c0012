package rig

import "fmt"

// Methods of the example services, which `dyngate serve` without PATH serves.
const (
	SayHello   = "/Greeter/SayHello"   // unary: text 1 is a name, and the answer "hello " with it
	SendStatus = "/Contact/sendStatus" // bidirectional: see Chat
	GetTask    = "/Contact/getTask"    // server streaming
)

// Chat exchanges one message on a stream of SendStatus.
func Chat(s *Stream, msg string) error {
	s.Send(Text(1, msg))
	out, err := s.Recv()
	if want := fmt.Sprintf("got %q", msg); err == nil && TextOf(out, 1) != want {
		return fmt.Errorf("the answer is %q, want %q", TextOf(out, 1), want)
	}
	return err
}
