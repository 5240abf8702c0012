package reflection

import "google.golang.org/protobuf/reflect/protoreflect"

// queue holds the questions that were not sent yet. Questions from answers, and
// those of a broken stream, come first.
//
// Services of one package are often in one file, which may be large. So only a
// few symbols of a package are requested at a time, until the answers show that
// each is in its own file: the first answer may contain the answers for the
// others.
type queue struct {
	first []*question
	lanes []*lane // those with questions, in turn
}

// lane holds the symbols of one package.
type lane struct {
	waiting []*question
	sent    int // not answered yet
	window  int // how many may be sent
}

// newQueue returns a queue of the questions of an operation.
func newQueue(questions []*question) *queue {
	q := new(queue)
	lanes := make(map[protoreflect.FullName]*lane)
	for _, ask := range questions {
		if ask.kind != fileOfSymbol {
			q.first = append(q.first, ask)
			continue
		}
		pkg := protoreflect.FullName(ask.name).Parent()
		l := lanes[pkg]
		if l == nil {
			l = &lane{window: 1}
			lanes[pkg] = l
			q.lanes = append(q.lanes, l)
		}
		l.waiting = append(l.waiting, ask)
		ask.lane = l
	}
	return q
}

func (q *queue) empty() bool { return len(q.first)+len(q.lanes) == 0 }

// next returns the next question to send; nil if there is none, or if an answer
// should be awaited first.
func (q *queue) next() *question {
	if len(q.first) > 0 {
		ask := q.first[0]
		q.first = q.first[1:]
		ask.leave()
		return ask
	}
	for range q.lanes {
		l := q.lanes[0]
		q.lanes = q.lanes[1:]
		if l.sent >= l.window {
			q.lanes = append(q.lanes, l)
			continue
		}
		ask := l.waiting[0]
		if l.waiting = l.waiting[1:]; len(l.waiting) > 0 {
			q.lanes = append(q.lanes, l)
		}
		ask.leave()
		return ask
	}
	return nil
}

// leave counts a question as sent.
func (q *question) leave() {
	if q.lane != nil {
		q.lane.sent++
	}
}

// arrive records that a sent question was answered, or must be sent again.
func (q *question) arrive() {
	if q.lane == nil {
		return
	}
	q.lane.sent--
	switch {
	case q.file == nil:
	case len(q.file.services) > 1:
		q.lane.window = 1
	default:
		q.lane.window = min(2*q.lane.window, maxWindow)
	}
}
