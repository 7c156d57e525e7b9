using System.CommandLine;
using System.Net;
using Ldvc.App.Cli.Verbs;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.App.Cli.Commands;

/// <summary>`ldvc serve`.</summary>
internal static class ServeCommand
{
    private const int Port = 5080;

    public static Command Create(VerbHost host)
    {
        var checkpoint = new Option<string?>("--checkpoint")
        {
            HelpName = "F",
            Description = "A checkpoint that `ldvc train` or `ldvc demo` wrote (.safetensors); not given = the newest in demo-output and runs.",
        };
        var clip = new Option<string?>("--clip")
        {
            HelpName = "PATH",
            Description = "The CLIP the checkpoint was trained on, if it no longer lies where it was.",
        };
        var address = new Option<string>("--host")
        {
            HelpName = "A",
            Description = "Address to listen on: localhost, or one of this machine's, or 0.0.0.0 for all. There is no password: whoever reaches it can use it.",
            DefaultValueFactory = _ => "localhost",
        };
        var port = new Option<string>("--port")
        {
            HelpName = "N",
            Description = "Port to listen on; 0 = any free one.",
            DefaultValueFactory = _ => $"{Port}",
        };
        Option<string> precision = CommandParts.Precision();
        var command = new VerbCommand("serve", "A page in the browser: drop a picture, type class names, see who is where.", "ldvc serve --checkpoint demo-output/ldvc.safetensors")
        {
            checkpoint,
            clip,
            address,
            port,
            precision,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => ServeVerb.Run(new ServeOptions(
            OptionValue.Text(result, checkpoint),
            OptionValue.Text(result, clip),
            Address(address.Name, OptionValue.RequiredText(result, address)),
            (int)OptionValue.WholeNumber(result, port, 0, IPEndPoint.MaxPort),
            OptionValue.Precision(result, precision),
            common.Read(result, host))));
        return command;
    }

    private static IPAddress Address(string option, string text) => text == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(text, out IPAddress? address) ? address
        : throw new InputException($"{option}: expected localhost or a numeric address, found {ConfigText.Quote(text)}.");
}
