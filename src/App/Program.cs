using System.Runtime.InteropServices;
using Ldvc.App.Cli;
using Ldvc.App.Terminal;
using Ldvc.Tensors.Distributed.Launch;

// Ctrl-C and SIGTERM ask the verb to stop at a good moment; a second one ends the process at once. A launcher passes on what the terminal has sent
// already: under one, signals within a second count once.
using var stop = new CancellationTokenSource();
bool launched = Launcher.Find(Environment.GetEnvironmentVariable) is { HasOthers: true };
long first = 0;
void Stop(PosixSignalContext context)
{
    long now = Environment.TickCount64, before = Interlocked.CompareExchange(ref first, now, 0);
    context.Cancel = before == 0 || (launched && now - before < 1000);
    stop.Cancel();
}

using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

// The terminal is closed, or the connection to it lost.
using PosixSignalRegistration? hangUp = HangUp.Counts() ? PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop) : null;

// SIGUSR1 is what jobs of Slurm ask for before their time is up (--signal=USR1@120); unhandled, it ends a process.
using PosixSignalRegistration? user = OperatingSystem.IsWindows()
    ? null
    : PosixSignalRegistration.Create((PosixSignal)(OperatingSystem.IsLinux() ? 10 : 30), Stop);

// A file beyond the largest size that is allowed (ulimit -f): unhandled, the signal ends the process; handled, the write fails and is reported.
using PosixSignalRegistration? tooLarge = OperatingSystem.IsWindows()
    ? null
    : PosixSignalRegistration.Create((PosixSignal)25, context => context.Cancel = true);

if (launched)
{
    // The launcher collects the output of all: no place for bars.
    return Application.Run(args, LaunchedOutput.Out, LaunchedOutput.Error, false, stop.Token);
}

return Application.Run(args, Console.Out, Console.Error, ConsoleFactory.IsInteractive(), stop.Token);
