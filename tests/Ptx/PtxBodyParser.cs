using System.Globalization;

namespace Ldvc.Ptx;

/// <summary>Bodies of functions: declarations, labels, instructions and their operands.</summary>
internal sealed partial class PtxParser
{
    private void Body(PtxFunction function)
    {
        while (Current.Text != "}")
        {
            if (Current.Text == ".reg")
            {
                Registers(function);
            }
            else if (Current.Text is ".shared" or ".local")
            {
                function.Variables.Add(Variable());
                Expect(";");
            }
            else if (Current.Kind == PtxTokenKind.Word && _tokens[_at + 1].Text == ":")
            {
                if (!function.Labels.TryAdd(Take().Text, function.Instructions.Count))
                {
                    throw Error("the label stands twice");
                }

                Expect(":");
            }
            else
            {
                function.Instructions.Add(Instruction());
            }
        }

        Take();
    }

    // .reg .type %r<3>; or .reg .type %a, %b;
    private void Registers(PtxFunction function)
    {
        Take();
        var type = Type();
        do
        {
            string name = Word();
            if (Current.Text != "<")
            {
                Declare(function, name, type);
                continue;
            }

            Take();
            int count = Integer(Number());
            Expect(">");
            for (int i = 0; i < count; i++)
            {
                Declare(function, name + i.ToString(CultureInfo.InvariantCulture), type);
            }
        }
        while (Current.Text == "," && Take().Text == ",");

        Expect(";");
    }

    private void Declare(PtxFunction function, string name, PtxType type)
    {
        if (!function.Registers.TryAdd(name, type))
        {
            throw Error($"{name} is declared twice");
        }
    }

    private PtxInstruction Instruction()
    {
        string? guard = null;
        bool negated = false;
        int line = Current.Line;
        if (Current.Text == "@")
        {
            Take();
            if (Current.Text == "!")
            {
                Take();
                negated = true;
            }

            guard = Word();
        }

        string opcode = Word();
        var operands = new List<PtxOperand>();
        while (Current.Text != ";")
        {
            if (operands.Count > 0)
            {
                Expect(",");
            }

            operands.Add(Operand());
        }

        Take();
        return new PtxInstruction(guard, opcode, [.. operands], line) { IsGuardNegated = negated };
    }

    private PtxOperand Operand()
    {
        var token = Take();
        switch (token.Text)
        {
            case "{":
                var parts = new List<PtxOperand> { Operand() };
                while (Current.Text == ",")
                {
                    Take();
                    parts.Add(Operand());
                }

                Expect("}");
                return new PtxOperand(PtxOperandKind.Vector, "{" + string.Join(", ", parts.Select(part => part.Text)) + "}", [.. parts]);
            case "[":
                string name = Word();
                long offset = 0;
                if (Current.Text is "+" or "-")
                {
                    bool negative = Take().Text == "-";
                    bool minus = Current.Text == "-" && Take().Text == "-";
                    offset = Integer(Number()) * (negative != minus ? -1 : 1);
                }

                Expect("]");
                return new PtxOperand(PtxOperandKind.Address, name, [], offset);
            case "-":
                return Constant("-" + Number());
            default:
                return token.Kind switch
                {
                    PtxTokenKind.Number => Constant(token.Text),
                    PtxTokenKind.Word => Name(token.Text),
                    _ => throw new PtxSyntaxException(token.Line, $"'{token.Text}': expected an operand"),
                };
        }
    }

    private static PtxOperand Name(string text) => new(
        !text.StartsWith('%') ? PtxOperandKind.Symbol : PtxSpecial.TypeOf(text) is not null ? PtxOperandKind.Special : PtxOperandKind.Register,
        text,
        []);

    // Integers of up to 64 bits in decimal or 0x; floats as exact bits, 0f and 8 digits or 0d and 16.
    private PtxOperand Constant(string text)
    {
        string digits = text.TrimStart('-');
        bool isFloat = digits.Length is 10 or 18 && digits[0] == '0' && char.ToLowerInvariant(digits[1]) == (digits.Length == 10 ? 'f' : 'd')
            && digits[2..].All(char.IsAsciiHexDigit);
        bool isInteger = ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            || (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && digits.Length is > 2 and <= 18
                && digits[2..].All(char.IsAsciiHexDigit));
        return isFloat || isInteger
            ? new PtxOperand(isFloat ? PtxOperandKind.Float : PtxOperandKind.Integer, text, [])
            : throw Error($"'{text}' is no constant");
    }
}
