using System.CommandLine;
using System.Net;
using Ldvc.App.Web;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>The options of `ldvc serve` about what the server grants.</summary>
internal sealed class ServerOptions
{
    private static readonly ServerLimits Preset = new();

    private readonly Option<string?> _token = new("--token")
    {
        HelpName = "T",
        Description = "A word that requests must carry (Authorization: Bearer T); the page asks for it. Better in the environment variable "
            + $"{AccessToken.Variable}, which no list of processes shows.",
    };

    private readonly Option<string> _pixels = Number("--max-pixels", "Pixels of a picture at most, checked before it is decoded.", Preset.MaxPixels);
    private readonly Option<string> _names = Number("--max-names", "Class names and synonyms of a request at most.", Preset.MaxNames);
    private readonly Option<string> _waiting = Number(
        "--queue", "Pictures that may wait; more are answered with 503 and Retry-After.", Preset.MaxWaiting);
    private readonly Option<string> _connections = Number("--connections", "Connections of one address at most.", Preset.MaxOfAddress);

    private readonly Option<bool> _logNames = new("--log-names")
    {
        Description = "The request log names pictures and the classes found in them.",
    };

    /// <summary>Adds them to the verb.</summary>
    internal void AddTo(Command command)
    {
        command.Add(_token);
        command.Add(_pixels);
        command.Add(_names);
        command.Add(_waiting);
        command.Add(_connections);
        command.Add(_logNames);
    }

    /// <summary>The values given.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="address">Where to listen.</param>
    /// <param name="port">Where to listen.</param>
    /// <exception cref="InputException">A value is not as it must be.</exception>
    internal ServerSettings Read(ParseResult result, IPAddress address, int port) => new(address, port)
    {
        Token = AccessToken.Read(_token.Name, result.GetValue(_token), Environment.GetEnvironmentVariable(AccessToken.Variable)),
        LogNames = result.GetValue(_logNames),
        Limits = new ServerLimits
        {
            MaxPixels = OptionValue.WholeNumber(result, _pixels, 1, Imaging.ImageReader.MaxPixels),
            MaxNames = (int)OptionValue.WholeNumber(result, _names, 1, ServerLimits.MaxTexts),
            MaxWaiting = (int)OptionValue.WholeNumber(result, _waiting, 0, ServerLimits.MaxPlaces),
            MaxOfAddress = (int)OptionValue.WholeNumber(result, _connections, 1, Preset.MaxConnections),
        },
    };

    private static Option<string> Number(string name, string description, long preset) => new(name)
    {
        HelpName = "N",
        Description = description,
        DefaultValueFactory = _ => $"{preset}",
    };
}
