using System.Text;
using System.Text.Json;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>
/// metrics.jsonl: one JSON object per line, {"step":50,"loss":1.25,...}, appended and handed to the system at once. A resumed run first drops the
/// lines after the step it resumes from, so that every step stands there once.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;

    private MetricsLog(string path, FileStream file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>Opens the file for appending, creating it if needed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="resumedStep">The last step whose lines stay; 0 for a fresh run.</param>
    /// <exception cref="InputException">The file cannot be read or written.</exception>
    public static MetricsLog Open(string path, int resumedStep)
    {
        try
        {
            if (File.Exists(path))
            {
                DropAfter(path, resumedStep);
            }

            return new MetricsLog(path, new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, 1));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be written ({e.Message})", e);
        }
    }

    /// <summary>Appends one line. Numbers that JSON cannot say, NaN and infinities, are null: a reader of numbers has no text to trip over.</summary>
    /// <exception cref="InputException">The disk is full or gone.</exception>
    public void Append(int step, params ReadOnlySpan<(string Name, double Value)> values)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteNumber("step", step);
            foreach ((string name, double value) in values)
            {
                if (double.IsFinite(value))
                {
                    json.WriteNumber(name, value);
                }
                else
                {
                    json.WriteNull(name);
                }
            }

            json.WriteEndObject();
        }

        line.WriteByte((byte)'\n');
        try
        {
            // One write call per line: a reader, or a crash, never sees half of one.
            _file.Write(line.GetBuffer(), 0, (int)line.Length);
            _file.Flush();
        }
        catch (IOException e)
        {
            throw new InputException($"{_path}: cannot be written ({e.Message})", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void DropAfter(string path, int resumedStep)
    {
        var kept = new StringBuilder();
        string before = File.ReadAllText(path);
        foreach (string line in before.Split('\n'))
        {
            if (StepOf(line) is { } step && step <= resumedStep)
            {
                kept.Append(line).Append('\n');
            }
        }

        if (kept.ToString() != before)
        {
            AtomicFile.WriteText(path, kept.ToString());
        }
    }

    /// <summary>The line's step; null for the torn last line of a killed process.</summary>
    private static int? StepOf(string line)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("step", out JsonElement element)
                && element.ValueKind == JsonValueKind.Number
                && element.TryGetInt32(out int step)
                    ? step
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
