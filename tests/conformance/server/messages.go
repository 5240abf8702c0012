package main

import "google.golang.org/protobuf/types/known/anypb"

// The messages of service.proto, as far as the handlers use them.

type header struct {
	Name  string
	Value []string
}

type rpcError struct {
	Code    int32
	Message string
	Details []*anypb.Any
}

// unaryAnswer is UnaryResponseDefinition.
type unaryAnswer struct {
	ResponseHeaders  []header
	ResponseData     *[]byte
	Error            *rpcError
	ResponseTrailers []header
	ResponseDelayMs  uint32
}

// streamAnswer is StreamResponseDefinition.
type streamAnswer struct {
	ResponseHeaders  []header
	ResponseData     [][]byte
	ResponseDelayMs  uint32
	Error            *rpcError
	ResponseTrailers []header
}

type unaryRequest struct {
	ResponseDefinition *unaryAnswer
}

type streamRequest struct {
	ResponseDefinition *streamAnswer
}

type bidiRequest struct {
	ResponseDefinition *streamAnswer
	FullDuplex         bool
}

type response struct {
	Payload *payload
}

type payload struct {
	Data        []byte
	RequestInfo *requestInfo
}

type requestInfo struct {
	RequestHeaders []header
	TimeoutMs      *int64
	Requests       []*anypb.Any
}
