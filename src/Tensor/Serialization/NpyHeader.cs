namespace Ldvc.Tensors.Serialization;

/// <summary>
/// What a .npy header says, a Python dictionary of three entries: {'descr': '&lt;f2', 'fortran_order': False, 'shape': (20, 512), }. Read by a
/// scanner for these forms alone.
/// </summary>
internal sealed class NpyHeader
{
    private const int MaxAxes = 8;

    private readonly string _path;
    private readonly string _text;
    private int _at;

    private NpyHeader(string path, string text) => (_path, _text) = (path, text);

    /// <summary>Float16, Float32 or Float64.</summary>
    public DType Type { get; private set; }

    /// <summary>Sizes, outermost first.</summary>
    public long[] Shape { get; private set; } = [];

    /// <summary>Whether the first index changes fastest, as in a saved transpose (x.T).</summary>
    public bool IsFortran { get; private set; }

    /// <summary>Reads the text of a header.</summary>
    /// <exception cref="InputException">It is damaged, or describes something else than floats.</exception>
    public static NpyHeader Parse(string path, string text)
    {
        var header = new NpyHeader(path, text);
        header.ReadEntries();
        return header;
    }

    private void ReadEntries()
    {
        string? descr = null;
        bool? fortran = null;
        long[]? shape = null;
        Expect('{');
        while (!Skip('}'))
        {
            string key = Quoted();
            Expect(':');
            switch (key)
            {
                case "descr" when descr is null && !Peek('['):
                    descr = Quoted();
                    break;
                case "fortran_order" when fortran is null:
                    fortran = Word() switch { "True" => true, "False" => false, _ => throw Damaged() };
                    break;
                case "shape" when shape is null:
                    shape = Tuple();
                    break;
                case "descr" when Peek('['):
                    throw new InputException($"{_path}: an array of records, expected floats.");
                default:
                    throw Damaged();
            }

            if (!Skip(',') && !Peek('}'))
            {
                throw Damaged();
            }
        }

        if (descr is null || fortran is null || shape is null || _text[_at..].Trim(' ', '\n', '\0').Length > 0)
        {
            throw Damaged();
        }

        Type = descr switch
        {
            "<f2" => DType.Float16,
            "<f4" => DType.Float32,
            "<f8" => DType.Float64,
            _ => throw new InputException($"{_path}: elements of type {ArchiveText.Quote(descr)}, expected '<f2', '<f4' or '<f8' (floats of 16, 32 "
                + "or 64 bits, little-endian)."),
        };
        Shape = shape;
        IsFortran = fortran.Value;
    }

    private long[] Tuple()
    {
        Expect('(');
        var sizes = new List<long>();
        while (!Skip(')'))
        {
            string word = Word();
            if (sizes.Count == MaxAxes || word.Length > 18 || !long.TryParse(word, System.Globalization.NumberStyles.None, null, out long size))
            {
                throw Damaged();
            }

            sizes.Add(size);
            if (!Skip(',') && !Peek(')'))
            {
                throw Damaged();
            }
        }

        return [.. sizes];
    }

    private string Quoted()
    {
        SkipBlanks();
        char quote = Current;
        int end = quote is '\'' or '"' ? _text.IndexOf(quote, _at + 1) : -1;
        if (end < 0)
        {
            throw Damaged();
        }

        string inside = _text[(_at + 1)..end];
        _at = end + 1;
        return inside;
    }

    private string Word()
    {
        SkipBlanks();
        int start = _at;
        while (char.IsAsciiLetterOrDigit(Current))
        {
            _at++;
        }

        return _text[start.._at];
    }

    private char Current => _at < _text.Length ? _text[_at] : '\0';

    private void SkipBlanks()
    {
        while (Current is ' ' or '\n')
        {
            _at++;
        }
    }

    private bool Peek(char wanted)
    {
        SkipBlanks();
        return Current == wanted;
    }

    private bool Skip(char wanted)
    {
        bool found = Peek(wanted);
        _at += found ? 1 : 0;
        return found;
    }

    private void Expect(char wanted)
    {
        if (!Skip(wanted))
        {
            throw Damaged();
        }
    }

    private InputException Damaged() =>
        new($"{_path}: the header {ArchiveText.Quote(_text.Trim())} is not that of a NumPy array of numbers (expected 'descr', 'fortran_order' and "
            + "'shape').");
}
