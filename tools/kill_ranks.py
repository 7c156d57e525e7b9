#!/usr/bin/env python3
"""Kills a random process of a training job at a random moment, again and again, and resumes with --resume.

    tools/kill_ranks.py --mpirun "mpirun.openmpi --oversubscribe --bind-to none" --processes 2 --kills 20 [--seed 1]

Needs the built program (dotnet build -c Release) and a launcher. No job may last longer than 30 s after a kill, and the run that was killed must end with
the tensors of one that was not. Exit code 0 when both hold.
"""
import argparse, json, os, random, shlex, signal, struct, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.environ.get("LDVC_PROGRAM") or os.path.join(ROOT, "src", "App", "bin", "Release", "net10.0", "ldvc.dll")
LIMIT = 30

# Steps of a few milliseconds and a checkpoint after each: many kills fall into a write.
SETTINGS = ["train.batch=12", "train.iterations=150", "train.checkpoint_every=1", "train.keep=2", "augment.crop=32", "model.prompts.vision=2",
            "model.decoder.layers=1", "model.decoder.windows=2", "model.decoder.topk=2", "eval.limit=4"]


def command(options, folder):
    settings = [word for setting in SETTINGS + ["train.out=" + folder] for word in ("--set", setting)]
    train = ["dotnet", PROGRAM, "train", os.path.join(ROOT, "configs", "demo", "train.yaml"), *settings, "--threads", "1", "--resume"]
    return shlex.split(options.mpirun) + ["-n", str(options.processes)] + train


def environment():
    more = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}
    return {**os.environ, **more}


def below(parent):
    """The processes below one that run the program."""
    children, names = {}, {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat, open(f"/proc/{entry}/cmdline", "rb") as line:
                above = int(stat.read().rpartition(")")[2].split()[1])
                words = line.read().split(b"\0")
        except OSError:
            continue
        children.setdefault(above, []).append(int(entry))
        names[int(entry)] = words
    found, left = [], [parent]
    while left:
        one = left.pop()
        left += children.get(one, [])
        words = names.get(one, [])
        if len(words) > 1 and words[0].endswith(b"dotnet") and words[1].endswith(b"ldvc.dll"):
            found.append(one)
    return found


def tensors(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = file.read()
    return {name: data[slice(*entry["data_offsets"])] for name, entry in header.items() if name != "__metadata__"}


def last(folder):
    return os.path.join(folder, "checkpoints", "ckpt-00000150.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mpirun", default="mpirun", help="the launcher with its options")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as work:
        whole = os.path.join(work, "whole")
        clock = time.monotonic()
        subprocess.run(command(options, whole), env=environment(), check=True, stdout=subprocess.DEVNULL)
        length = time.monotonic() - clock
        print(f"not killed: {length:.1f} s")
        kills, run, longest, wrong = 0, 0, 0.0, 0
        while kills < options.kills:
            folder, done = os.path.join(work, f"run{run}"), False
            run += 1
            while not done:
                job = subprocess.Popen(command(options, folder), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                done = kills == options.kills
                if not done:
                    try:
                        job.wait(chance.uniform(0.3, 1.0) * length)
                        done = True
                    except subprocess.TimeoutExpired:
                        victims = below(job.pid)
                        if victims:
                            rank = chance.randrange(len(victims))
                            os.kill(victims[rank], signal.SIGKILL)
                            kills += 1
                clock = time.monotonic()
                try:
                    job.wait(None if done else LIMIT)
                except subprocess.TimeoutExpired:
                    print(f"kill {kills}: the job hangs for more than {LIMIT} s")
                    wrong += 1
                    job.terminate()
                    job.wait()
                if not done:
                    seconds = time.monotonic() - clock
                    longest = max(longest, seconds)
                    print(f"kill {kills}: ended with {job.returncode} after {seconds:.1f} s", flush=True)
            if job.returncode != 0:
                print(f"the resumed job failed with {job.returncode}: {job.stderr.read()}")
                wrong += 1
            elif tensors(last(folder)) != tensors(last(whole)):
                print(f"{folder}: other tensors than the run that was not killed")
                wrong += 1
        print(f"{kills} kills in {run} runs, {wrong} wrong, at most {longest:.1f} s from a kill to the end of the job")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
