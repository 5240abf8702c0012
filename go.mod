module github.com/dyngate/dyngate

go 1.26.7

require (
	buf.build/go/hyperpb v0.1.3
	github.com/bufbuild/protocompile v0.14.2-0.20260910151042-7436f7c76201
	github.com/fsnotify/fsnotify v1.10.1
	github.com/google/go-cmp v0.7.0
	github.com/jhump/protoreflect v1.19.0
	github.com/spf13/cobra v1.10.2
	go.uber.org/goleak v1.3.0
	google.golang.org/genproto/googleapis/api v0.0.0-20260817212433-ac3dfec99bb1
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)
