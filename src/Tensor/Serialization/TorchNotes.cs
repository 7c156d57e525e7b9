using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// The notes that a training program keeps beside a state dict under "meta" (mmcv: configuration, class names, iteration) as text: "meta.iter" is
/// "20000", "meta.CLASSES" a JSON array. Notes that are no plain data, or larger than any legitimate one, are left out: tensors do not depend on
/// them.
/// </summary>
internal static class TorchNotes
{
    private const string Key = "meta";
    private const int MaxNotes = 256;
    private const int MaxName = 128;
    private const int MaxDepth = 8;
    private const int MaxValues = 100_000;
    private const int MaxText = 4 << 20;

    /// <summary>The notes of an unpickled checkpoint; empty when it has none.</summary>
    public static Dictionary<string, string> Collect(object? root)
    {
        var notes = new Dictionary<string, string>(StringComparer.Ordinal);
        if ((root as PickleDict)?.Find(Key) is not PickleDict meta)
        {
            return notes;
        }

        var left = new Allowance { Text = MaxText, Values = MaxValues };
        foreach ((object? key, object? value) in meta.Pairs.Take(MaxNotes))
        {
            if (key is string { Length: > 0 and <= MaxName } name && Text(value, left) is { } text && text.Length <= left.Text)
            {
                notes[$"{Key}.{name}"] = text;
                left.Text -= text.Length;
            }
        }

        return notes;
    }

    private static string? Text(object? value, Allowance left) => value switch
    {
        string text => text,
        bool or long or double => Scalar(value),
        PickleTuple or List<object?> or PickleDict => Json(value, left),
        _ => null,
    };

    private static string Scalar(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        _ => "",
    };

    // Shared references make a small pickle a huge tree: depth, values and bytes are all bounded, and null says that a bound was reached.
    private static string? Json(object? value, Allowance left)
    {
        using var bytes = new MemoryStream();
        using var json = new Utf8JsonWriter(bytes);
        bool Write(object? item, int depth)
        {
            if (depth > MaxDepth || --left.Values < 0 || bytes.Length + json.BytesPending > left.Text)
            {
                return false;
            }

            switch (item)
            {
                case PickleTuple tuple:
                    return WriteArray(tuple.Items, depth);
                case List<object?> list:
                    return WriteArray(list, depth);
                case PickleDict dict:
                    return WriteObject(dict, depth);
                case string text:
                    json.WriteStringValue(text);
                    return true;
                case double number when !double.IsFinite(number):
                    json.WriteStringValue(Scalar(number));
                    return true;
                case bool or long or double:
                    json.WriteRawValue(Scalar(item));
                    return true;
                default:
                    // None, and what is no plain data.
                    json.WriteNullValue();
                    return true;
            }
        }

        bool WriteArray(IReadOnlyList<object?> items, int depth)
        {
            json.WriteStartArray();
            foreach (object? item in items)
            {
                if (!Write(item, depth + 1))
                {
                    return false;
                }
            }

            json.WriteEndArray();
            return true;
        }

        bool WriteObject(PickleDict dict, int depth)
        {
            json.WriteStartObject();
            foreach ((object? key, object? item) in dict.Pairs)
            {
                json.WritePropertyName(key is null ? "None" : key as string ?? Scalar(key));
                if (!Write(item, depth + 1))
                {
                    return false;
                }
            }

            json.WriteEndObject();
            return true;
        }

        if (!Write(value, 0))
        {
            return null;
        }

        json.Flush();
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>What is left for the notes after those that were read.</summary>
    private sealed class Allowance
    {
        /// <summary>Characters.</summary>
        public required int Text { get; set; }

        /// <summary>Values inside of lists and dicts, of notes that were left out, too.</summary>
        public required int Values { get; set; }
    }
}
