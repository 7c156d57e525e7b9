using System.Text.Json;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>
/// Reads metrics.jsonl line by line, however long the file is. What is no JSON object is passed over: the torn last line of a killed process, or
/// whatever else somebody has put there.
/// </summary>
internal static class MetricsLines
{
    // A line of ours has some hundred bytes.
    private const int MaxLine = 1 << 16;

    /// <summary>The lines, and for each whether it is wanted; one that is no JSON object is not.</summary>
    /// <param name="path">The file.</param>
    /// <param name="wanted">Asked of every line that is a JSON object.</param>
    /// <exception cref="Tensors.InputException">The file cannot be read.</exception>
    internal static IEnumerable<(ReadOnlyMemory<byte> Line, bool Wanted)> Read(string path, Func<JsonElement, bool> wanted)
    {
        using var file = new BufferedStream(PlainFile.Open(path), MaxLine);
        byte[] line = new byte[MaxLine];
        int length = 0;
        bool more = true;
        while (more)
        {
            int next = file.ReadByte();
            more = next >= 0;
            if (more && next != '\n')
            {
                // Of a longer line the rest is not kept: it is none of ours.
                if (length < MaxLine)
                {
                    line[length] = (byte)next;
                }

                length++;
            }
            else if (more || length > 0)
            {
                // A line without its end is one that was not finished.
                bool whole = more && length <= MaxLine;
                ReadOnlyMemory<byte> bytes = line.AsMemory(0, Math.Min(length, MaxLine));
                yield return (bytes, whole && Is(bytes, wanted));
                length = 0;
            }
        }
    }

    /// <summary>A line's step; null when it has none that is a whole number.</summary>
    internal static int? StepOf(JsonElement line) =>
        line.TryGetProperty("step", out JsonElement element) && element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int step)
            ? step
            : null;

    private static bool Is(ReadOnlyMemory<byte> line, Func<JsonElement, bool> wanted)
    {
        try
        {
            using JsonDocument json = JsonInput.Parse(line, duplicates: true);
            return json.RootElement.ValueKind == JsonValueKind.Object && wanted(json.RootElement);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
