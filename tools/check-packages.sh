#!/usr/bin/env bash
# Packs the libraries and the tool, and uses them as a stranger would: the tool in an empty folder, the samples against the packages with an empty package cache, a self-contained file that segments a picture.
# usage: tools/check-packages.sh [--quick]      --quick leaves out the demo's training (two minutes); the picture is then labelled by a model of two steps
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD quick=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '\n== %s\n' "$1"; }
fail() { printf 'check-packages: %s\n' "$1" >&2; exit 1; }

say "dotnet pack"
rm -rf artifacts/packages
dotnet pack Ldvc.sln -c Release --nologo -v quiet
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
for id in Ldvc.Tensor Ldvc.Kernels Ldvc.Autograd Ldvc Ldvc.Tool; do
  file=artifacts/packages/$id.$version.nupkg
  [ -f "$file" ] || fail "dotnet pack made no $file"
  [ -f "${file%.nupkg}.snupkg" ] || fail "$id has no symbols"
  spec=$(unzip -p "$file" '*.nuspec')
  for part in '<license type="expression">MIT<' '<readme>README.md<' '<description>'; do
    case "$spec" in *"$part"*) ;; *) fail "$id: the nuspec lacks $part" ;; esac
  done
done
ls -l artifacts/packages

# From here on, everything comes out of the packages: an empty cache, so that no older build of the same version is taken.
export NUGET_PACKAGES="$work/packages"

say "the tool, in an empty folder"
dotnet tool install Ldvc.Tool --version "$version" --tool-path "$work/tool" --add-source "$root/artifacts/packages"
ldvc="$work/tool/ldvc"
mkdir "$work/empty"
cd "$work/empty"
"$ldvc" --version | grep -qx "ldvc $version" || fail "ldvc --version does not say $version"
"$ldvc" doctor
if [ "$quick" = --quick ]; then
  "$ldvc" demo --write-data drawn --pictures 2,2
  assets=$(dirname "$(find "$work/tool" -name demo.yaml | head -n 1)")
  printf 'base: %s/demo.yaml\nclip: {path: %s/clip}\ntrain: {iterations: 2, warmup: 1, checkpoint_every: 2, out: run}\ndata: {synthetic: {val_count: 2}}\n' "$assets" "$assets" > two.yaml
  "$ldvc" train two.yaml
  checkpoint=$(find run -name '*.safetensors' | head -n 1)
else
  "$ldvc" demo
  [ -s demo-output/report.html ] || fail "the demo wrote no report"
  "$ldvc" demo --write-data drawn --pictures 2,2
  checkpoint=$(find demo-output -name '*.safetensors' | grep -i ldvc | head -n 1)
fi
picture=$(find drawn -name '*.jpg' | head -n 1)
"$ldvc" segment "$picture" --checkpoint "$checkpoint" --classes "red circle, blue square" --out labels
[ -s "labels/$(basename "${picture%.*}").png" ] || fail "the tool wrote no label map"

say "a self-contained single file"
cd "$root"
dotnet publish src/App -c Release -r linux-x64 --self-contained -p:PublishSingleFile=true -p:IncludeNativeLibrariesForSelfExtract=true -o "$work/single" --nologo -v quiet
cd "$work/empty"
env -u DOTNET_ROOT PATH=/usr/bin:/bin "$work/single/ldvc" segment "$picture" --checkpoint "$checkpoint" --classes "red circle, blue square" --out single
cmp "labels/$(basename "${picture%.*}").png" "single/$(basename "${picture%.*}").png" || fail "the single file and the tool label a picture differently"

say "the samples, against the packages"
cp -r "$root/samples" "$work/samples"
find "$work/samples" -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
sed -i "s:\.\./artifacts/packages:$root/artifacts/packages:" "$work/samples/nuget.config"
cd "$work/samples"
for sample in Mlp NewOp TinyGpt Embed; do
  dotnet build "$sample" -c Release --nologo -v quiet
done
run() { echo "-- $*"; dotnet run --no-build -c Release --project "$@"; }
devices="cpu"
"$ldvc" doctor | grep -q '^device opencl *ok' && devices="cpu opencl"
for device in $devices; do
  run Mlp -- --device "$device"
  run NewOp -- --device "$device"
  run TinyGpt -- --device "$device" --reference "$root/tests/data/golden/tiny-gpt.safetensors"
done
run Embed -- --checkpoint "$work/empty/$checkpoint" --image "$work/empty/$picture"
say "packages, tool, single file and samples work"
