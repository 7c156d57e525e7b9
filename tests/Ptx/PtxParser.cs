using System.Globalization;

namespace Ldvc.Ptx;

/// <summary>Reads the part of PTX's grammar that device code without debug information uses; everything else is an error with its line.</summary>
internal sealed partial class PtxParser
{
    private readonly List<PtxToken> _tokens;
    private readonly PtxModule _module = new();
    private int _at;

    internal PtxParser(string text) => _tokens = PtxTokens.Split(text);

    private PtxToken Current => _tokens[_at];

    internal PtxModule Module()
    {
        while (Current.Kind != PtxTokenKind.End)
        {
            switch (Current.Text)
            {
                case ".version":
                    Once(_module.Version == 0);
                    string[] parts = Number().Split('.');
                    _module.Version = parts.Length == 2 ? (10 * Integer(parts[0])) + Integer(parts[1]) : throw Error("expected a version, as 8.0");
                    break;
                case ".target":
                    Once(_module.Target.Length == 0);
                    _module.Target = Word();
                    break;
                case ".address_size":
                    Once(_module.AddressSize == 0);
                    _module.AddressSize = Integer(Number());
                    break;
                case ".visible" or ".extern" or ".weak":
                    Take();
                    break;
                case ".entry" or ".func":
                    Function();
                    break;
                case ".global" or ".const" or ".shared":
                    _module.Variables.Add(Variable());
                    Expect(";");
                    break;
                default:
                    throw Error("expected a directive of a module");
            }
        }

        return _module;
    }

    private void Once(bool first)
    {
        if (!first)
        {
            throw Error("stands twice");
        }

        Take();
    }

    private void Function()
    {
        var start = Take();
        List<PtxVariable> returns = start.Text == ".func" && Current.Text == "(" ? Variables() : [];
        var function = new PtxFunction { Name = Word(), IsKernel = start.Text == ".entry", Line = start.Line };
        function.Returns.AddRange(returns);
        function.Parameters.AddRange(Variables());
        while (Current.Text is ".maxntid" or ".reqntid" or ".minnctapersm" or ".maxnreg")
        {
            string name = Take().Text;
            var numbers = new List<int> { Integer(Number()) };
            while (Current.Text == ",")
            {
                Take();
                numbers.Add(Integer(Number()));
            }

            function.Bounds.Add(name, [.. numbers]);
        }

        if (Current.Text == ";")
        {
            Take();
            _module.Prototypes.Add(function);
            return;
        }

        Expect("{");
        Body(function);
        _module.Functions.Add(function);
    }

    private List<PtxVariable> Variables()
    {
        var variables = new List<PtxVariable>();
        Expect("(");
        while (Current.Text != ")")
        {
            if (variables.Count > 0)
            {
                Expect(",");
            }

            variables.Add(Variable());
        }

        Take();
        return variables;
    }

    // .space .align N .type name[bytes]
    private PtxVariable Variable()
    {
        var space = Take();
        int align = 0;
        if (Current.Text == ".align")
        {
            Take();
            align = Integer(Number());
        }

        var type = Type();
        string name = Word();
        int count = 1;
        if (Current.Text == "[")
        {
            Take();
            count = Current.Text == "]" ? 0 : Integer(Number());
            Expect("]");
        }

        return new PtxVariable(name, space.Text, align == 0 ? Math.Max(1, type.Bytes) : align, type, count * Math.Max(1, type.Bytes), space.Line);
    }

    private PtxType Type()
    {
        var token = Take();
        return PtxType.Parse(token.Text.TrimStart('.')) ?? throw new PtxSyntaxException(token.Line, $"'{token.Text}' is no type");
    }

    private PtxToken Take() => Current.Kind == PtxTokenKind.End ? throw Error("more was expected") : _tokens[_at++];

    private void Expect(string sign)
    {
        if (Current.Text != sign)
        {
            throw Error($"expected '{sign}'");
        }

        _at++;
    }

    private string Word() => Current.Kind == PtxTokenKind.Word ? Take().Text : throw Error("expected a name");

    private string Number() => Current.Kind == PtxTokenKind.Number ? Take().Text : throw Error("expected a number");

    private int Integer(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : throw Error($"'{text}' is no integer");

    private PtxSyntaxException Error(string message) => new(Current.Line, $"'{Current.Text}': {message}");
}
