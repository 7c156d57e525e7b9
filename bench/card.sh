#!/usr/bin/env bash
# Ten minutes on an NVIDIA card: what docs/performance.md says about GPUs, measured anew. Results go to the folder given: one text file a part, and JSON.
#   bench/card.sh OUT          needs the .NET SDK, a built repository (dotnet build -c Release), and PyTorch with CUDA as LDVC_PYTHON (python3 unless told)
# Each part has a limit of its own, so that the whole ends in time whatever one of them does. BENCH and DEVICE replace the program and the device, for trying the script
# without a card.
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

# Steps first: they are what the rest explains.
part steps-bf16 150 $bench peers --device "$device" --precision bf16 --rounds 3 --filter step-voc,step-coco --json "$out/steps-bf16.json"
part encoder-bf16 120 $bench peers --device "$device" --precision bf16 --rounds 3 --filter encoder-512,prompts-512 --json "$out/encoder-bf16.json"
part steps-tf32 90 $bench peers --device "$device" --precision tf32 --rounds 2 --filter step-voc --json "$out/steps-tf32.json"
part profile-1 45 $bench step --case step-voc --device "$device" --precision bf16
part profile-16 60 $bench step --case step-voc --batch 16 --device "$device" --precision bf16
part tiles 60 $bench tiles --precision bf16
part attention 45 $bench peers --device "$device" --precision bf16 --rounds 3 --filter attention --json "$out/attention.json"
echo "results: $out"
exit $failed
