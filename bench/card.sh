#!/usr/bin/env bash
# Ten minutes on an NVIDIA card: what docs/performance.md says about GPUs, measured anew. Results go to the folder given: one text file a part, and JSON.
#   bench/card.sh OUT          needs the .NET SDK, a built repository (dotnet build -c Release), and PyTorch with CUDA as LDVC_PYTHON (python3 unless told)
# Each part has a limit of its own, so that the whole ends in time whatever one of them does. BENCH and DEVICE replace the program and the device, for trying the script
# without a card; PRECISIONS the precisions of the steps.
set -u
out=${1:?"usage: bench/card.sh OUT"}
cd "$(dirname "$0")/.."
mkdir -p "$out"
out=$(cd "$out" && pwd)
bench=${BENCH:-"dotnet bench/bin/Release/net10.0/Ldvc.Bench.dll"}
device=${DEVICE:-cuda}
failed=0

part() { # name, seconds, command...
  local name=$1 seconds=$2 start status=0
  shift 2
  start=$(date +%s)
  timeout --kill-after=5 "$seconds" "$@" >"$out/$name.txt" 2>&1 || status=$?
  echo "$name: exit $status after $(($(date +%s) - start)) s of at most $seconds"
  [ "$status" = 0 ] || failed=1
}

{ date -u; git rev-parse HEAD 2>/dev/null; nvidia-smi 2>/dev/null || echo "no nvidia-smi"; } >"$out/machine.txt" 2>&1

# Steps first: they are what the rest explains. VOC and COCO, 1 and 16 pictures (step-voc, step-voc-b16, ...), each kernel by kernel (ldvc), as a CUDA graph (ldvc-graph), and
# PyTorch's two modes, in turn in one run.
for precision in ${PRECISIONS:-bf16 fp16}; do
  part "steps-$precision" 140 $bench peers --device "$device" --precision "$precision" --rounds 3 --filter step-voc,step-coco --json "$out/steps-$precision.json"
done
part encoder-bf16 80 $bench peers --device "$device" --precision bf16 --rounds 2 --filter encoder-512,prompts-512 --json "$out/encoder-bf16.json"
part steps-tf32 60 $bench peers --device "$device" --precision tf32 --rounds 2 --filter step-voc --json "$out/steps-tf32.json"
part profile-1 30 $bench step --case step-voc --device "$device" --precision bf16
part profile-16 45 $bench step --case step-voc --batch 16 --device "$device" --precision bf16
part tiles 50 $bench tiles --precision bf16
part attention 40 $bench peers --device "$device" --precision bf16 --rounds 3 --filter attention --json "$out/attention.json"
echo "results: $out"
exit $failed
