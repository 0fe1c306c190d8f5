#!/bin/sh
# From a table of ratings by any number of people and a folder of pictures to a model
# that answers over HTTP, and a report on the people:
#
#   examples/own_crowd.sh ratings.csv photos OUT \
#       --labels=mood --scale=valence=1:9 -- --epochs=30
#
# Words before -- are flags of kfer-data import, words after it of kfer-train.
set -eu
table=$1 photos=$2 out=$3
shift 3
reading=""
while [ $# -gt 0 ]; do
  word=$1
  shift
  [ "$word" = -- ] && break
  reading="$reading $word"
done

# shellcheck disable=SC2086
kfer-data import "$table" --images="$photos" --out_dir="$out/data" $reading
kfer-train --data_dir="$out/data" --out_dir="$out/run" "$@"
kfer-audit --data_dir="$out/data" --run="$out/run" --out_dir="$out/audit"
kfer-export --run="$out/run" --publish="$out/served"
kfer-predict "$photos" --model="$out/served"

# Served on a free port, asked about one picture over TensorFlow Serving's REST, stopped.
kfer-serve --model="$out/served" --port=0 2>"$out/serve.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
url=
while [ -z "$url" ]; do
  sleep 1
  kill -0 "$server" 2>/dev/null || { cat "$out/serve.log" >&2; exit 1; }
  url=$(sed -n 's/.*Listening at \(http:[^ ]*\).*/\1/p' "$out/serve.log")
done
picture=$(find "$photos" -type f \( -name '*.png' -o -name '*.jpg' \) | sort | head -n 1)
python3 "$(dirname "$0")/rest_client.py" --url="$url" --model=served "$picture"
