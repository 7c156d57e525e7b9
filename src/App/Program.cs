using System.Runtime.InteropServices;
using Ldvc.App.Cli;
using Ldvc.App.Terminal;
using Ldvc.Tensors.Distributed.Launch;

// Ctrl-C and SIGTERM ask the verb to stop at a good moment; a second one ends the process at once.
using var stop = new CancellationTokenSource();
int signals = 0;
void Stop(PosixSignalContext context)
{
    context.Cancel = Interlocked.Increment(ref signals) == 1;
    stop.Cancel();
}

using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

if (Launcher.Find(Environment.GetEnvironmentVariable) is { HasOthers: true })
{
    // The launcher collects the output of all: no place for bars.
    return Application.Run(args, LaunchedOutput.Out, LaunchedOutput.Error, false, stop.Token);
}

bool interactive = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or "");
return Application.Run(args, Console.Out, Console.Error, interactive, stop.Token);
