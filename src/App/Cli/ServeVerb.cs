using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Ldvc.App.Terminal;
using Ldvc.App.Web;
using Ldvc.Configuration;
using Ldvc.Inference;
using Ldvc.Lab.Demo;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc serve` is told.</summary>
/// <param name="Checkpoint">An LDVC checkpoint; null = the newest that the demo or a training run left here.</param>
/// <param name="Clip">Folder or file of the CLIP the checkpoint was trained on, or of the one that is to segment alone; null = where the checkpoint
/// says it lies.</param>
/// <param name="TrainingFree">How a CLIP alone segments, and its activation; null with a checkpoint.</param>
/// <param name="Server">Where to listen, and what is granted.</param>
/// <param name="Precision">Precision of the products.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record ServeOptions(
    string? Checkpoint,
    string? Clip,
    (TrainingFreeConfig Config, ClipActivation Activation)? TrainingFree,
    ServerSettings Server,
    Precision Precision,
    CommonOptions Common);

/// <summary>`ldvc serve`: a page for one trained model, or a CLIP alone, until Ctrl-C.</summary>
internal static class ServeVerb
{
    private const int Port = 5080;

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        var checkpoint = new Option<string?>("--checkpoint")
        {
            HelpName = "F",
            Description = "A checkpoint that `ldvc train` or `ldvc demo` wrote (.safetensors); not given = --clip alone, or the newest in "
                + "demo-output and runs.",
        };
        var clip = new Option<string?>("--clip")
        {
            HelpName = "PATH",
            Description = "The CLIP the checkpoint was trained on, if it has moved; or the CLIP that is to segment without a checkpoint.",
        };
        var address = new Option<string>("--host")
        {
            HelpName = "A",
            Description = "Address to listen on: localhost, or one of this machine's, or 0.0.0.0 for all. Without --token anyone who reaches it can "
                + "use it.",
            DefaultValueFactory = _ => "localhost",
        };
        var port = new Option<string>("--port")
        {
            HelpName = "N",
            Description = "Port to listen on; 0 = any free one.",
            DefaultValueFactory = _ => $"{Port}",
        };
        Option<string> precision = CommandParts.Precision();
        var server = new ServerOptions();
        var command = new VerbCommand(
            "serve", "A page in the browser: labels pictures with any class names.", "ldvc serve --checkpoint demo-output/ldvc.safetensors")
        {
            checkpoint,
            clip,
            address,
            port,
            precision,
        };
        server.AddTo(command);
        var free = new TrainingFreeOptions();
        free.AddTo(command);
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new ServeOptions(
            OptionValue.Path(result, checkpoint),
            OptionValue.Path(result, clip),
            free.Read(result, trained: result.GetValue(checkpoint) is not null || result.GetValue(clip) is null),
            server.Read(
                result,
                Address(address.Name, OptionValue.RequiredText(result, address)),
                (int)OptionValue.WholeNumber(result, port, 0, IPEndPoint.MaxPort)),
            OptionValue.Precision(result, precision),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb and returns the exit code: Ctrl-C is how it ends, so 0.</summary>
    /// <exception cref="InputException">There is no checkpoint, it cannot be loaded, or the port is taken.</exception>
    public static int Run(ServeOptions options) => RunAsync(options).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(ServeOptions options)
    {
        CommonOptions common = options.Common;
        using LdvcCheckpoint? checkpoint = options.TrainingFree is null ? LdvcCheckpoint.Open(options.Checkpoint ?? Newest(common.Host.Error)) : null;
        using Device device = common.OpenDevice(options.Precision);
        var held = new HeldBytes(options.Server.Limits.MaxHeld);
        SegmentationModel segmentation = checkpoint is not null
            ? SegmentationModel.Trained(checkpoint, device, options.Clip)
            : SegmentationModel.OfClip(
                new ClipConfig { Path = options.Clip, Activation = options.TrainingFree!.Value.Activation },
                device,
                options.TrainingFree.Value.Config,
                new EvalConfig());
        common.Note(segmentation.Note);
        using var service = new SegmentationService(segmentation, options.Server.Limits, held);
        string url;
        WebServer server = await WebServer.StartAsync(options.Server, service, held, common.Out, common.Host.Error).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            url = $"http://{NameOf(options.Server.Address)}:{server.Port}";
            string model = checkpoint is null ? $"{options.Clip} (without training)" : $"{checkpoint.Path} (step {checkpoint.Step})";
            Announce(options, $"{model} at {url} - Ctrl-C stops", server.Port);
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using (common.Cancellation.Register(stopped.SetResult))
            {
                await stopped.Task.ConfigureAwait(false);
            }
        }

        common.Out.WriteLine($"stopped; pictures labelled: {server.Pictures}");
        common.WriteJson(
            new { Checkpoint = checkpoint?.Path, checkpoint?.Step, Clip = checkpoint is null ? options.Clip : null, Url = url, server.Pictures });
        return 0;
    }

    // A warning, not a refusal: behind a proxy with a login, and inside of a container, the address has to be an open one.
    private static void Announce(ServeOptions options, string line, int port)
    {
        TextWriter output = options.Common.Out;
        lock (output)
        {
            output.WriteLine(line);
            output.Flush();
        }

        if (!IPAddress.IsLoopback(options.Server.Address) && options.Server.Token is null)
        {
            options.Common.Host.Error.WriteLine(
                $"ldvc: warning: anyone who reaches port {port} of {options.Server.Address} can use this server; --token or {AccessToken.Variable} "
                    + "makes it ask for a token.");
        }
    }

    private static string NameOf(IPAddress address) => address.Equals(IPAddress.Loopback) || address.Equals(IPAddress.Any)
        || address.Equals(IPAddress.IPv6Any) ? "localhost"
        : address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : $"{address}";

    // Pretraining keeps its states in runs, too. A model that cannot be read gives way to an older one, but not without a word.
    private static bool IsModel(string path, TextWriter error)
    {
        try
        {
            LdvcCheckpoint.Open(path).Dispose();
            return true;
        }
        catch (InputException e)
        {
            if (!e.Message.Contains("`ldvc pretrain`", StringComparison.Ordinal))
            {
                error.WriteLine($"ldvc: warning: passed over: {e.Message}");
            }

            return false;
        }
    }

    // The demo's model and the last checkpoint of every run, wherever `ldvc demo` and `ldvc train` put them when they are not told otherwise.
    private static string Newest(TextWriter error)
    {
        try
        {
            IEnumerable<string> runs = Directory.Exists("runs")
                ? Directory.EnumerateDirectories("runs").Select(RunFolder.CheckpointsOf).Where(Directory.Exists).SelectMany(
                    folder => Directory.EnumerateFiles(folder, "ckpt-*.safetensors"))
                : [];
            string demo = Path.Combine(DemoFiles.DefaultFolder, DemoFiles.LdvcFile);
            return runs.Concat(File.Exists(demo) ? [demo] : []).OrderByDescending(File.GetLastWriteTimeUtc)
                    .FirstOrDefault(path => IsModel(path, error))
                ?? throw new InputException($"no checkpoint was found: expected --checkpoint FILE, {demo} (`ldvc demo` writes it) or "
                    + "runs/NAME/checkpoints (`ldvc train`) in this folder.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"runs: cannot be read ({e.Message}); expected --checkpoint FILE.", e);
        }
    }

    private static IPAddress Address(string option, string text) => text == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(text, out IPAddress? address) ? address
        : throw new InputException($"{option}: expected localhost or a numeric address, found {ConfigText.Quote(text)}.");
}
