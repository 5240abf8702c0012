import json
import math
from random import Random

from client import ARGUMENTS, channel, expect

import routeguide_pb2 as pb
import routeguide_pb2_grpc

KNOWN = pb.Point(latitude=409146138, longitude=-746188906)


def read_features(path):
    with open(path, encoding="utf-8") as file:
        return [
            pb.Feature(name=item["name"], location=pb.Point(**item["location"]))
            for item in json.load(file)
        ]


def get_feature(stub):
    feature = stub.GetFeature(KNOWN)
    print("Feature called", feature.name)
    expect(feature.name, "Berkshire Valley Management Area Trail, Jefferson, NJ, USA")
    expect(feature.location, KNOWN)
    nothing = stub.GetFeature(pb.Point(latitude=1, longitude=-2))
    expect(nothing, pb.Feature(name="", location=pb.Point(latitude=1, longitude=-2)))


def inside(point, lats, lngs):
    return min(lats) <= point.latitude <= max(lats) and min(lngs) <= point.longitude <= max(lngs)


def list_features(stub, features):
    """All corners in either order; the edges go through features."""
    edges = [f.location for f in features[:: max(1, len(features) // 6)]]
    for a in edges:
        for b in edges:
            lats, lngs = (a.latitude, b.latitude), (a.longitude, b.longitude)
            want = [f for f in features if inside(f.location, lats, lngs)]
            got = list(stub.ListFeature(pb.Rectangle(lo=a, hi=b)))
            expect(sorted(f.SerializeToString() for f in got), sorted(f.SerializeToString() for f in want))
    far = pb.Rectangle(lo=pb.Point(latitude=1, longitude=1), hi=pb.Point(latitude=2, longitude=2))
    expect(list(stub.ListFeature(far)), [])


def distance(a, b):
    lat1, lat2 = math.radians(a.latitude / 1e7), math.radians(b.latitude / 1e7)
    lng = math.radians(b.longitude / 1e7 - a.longitude / 1e7)
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(lng / 2) ** 2
    return 2 * 6371000 * math.asin(math.sqrt(h))


def record_route(stub, features):
    choose = Random(1).choice
    route = [choose(features).location for _ in range(20)] + [pb.Point(latitude=1, longitude=2)]
    known = {(f.location.latitude, f.location.longitude) for f in features if f.name}
    metres = sum(distance(a, b) for a, b in zip(route, route[1:]))
    summary = stub.RecordRoute(iter(route))
    print(f"passed {summary.feature_count} of {summary.point_count} points, {summary.distance} metres")
    expect(summary.point_count, len(route))
    expect(summary.feature_count, sum((p.latitude, p.longitude) in known for p in route))
    expect(abs(summary.distance - metres) <= 1, True)
    expect(0 <= summary.elapsed_time < 60, True)
    expect(stub.RecordRoute(iter(())), pb.RouteSummary())


def route_chat(stub):
    here, there = pb.Point(latitude=0, longitude=1), pb.Point(latitude=0, longitude=2)
    notes = [pb.RouteNote(message=str(i), location=p) for i, p in enumerate([here, there, here, there, here])]
    want, seen = [], []
    for note in notes:
        want += [n for n in seen if n.location == note.location]
        seen.append(note)
    for _ in range(2):  # a call knows nothing of those before it
        got = list(stub.RouteChat(iter(notes)))
        expect(got, want)
    print("chat:", [n.message for n in got])


def run(path):
    with channel() as conn:
        stub = routeguide_pb2_grpc.RouteGuideStub(conn)
        features = read_features(path)
        get_feature(stub)
        list_features(stub, features)
        record_route(stub, features)
        route_chat(stub)


if __name__ == "__main__":
    run(ARGUMENTS[0])
