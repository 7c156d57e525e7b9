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
    private readonly Stream _file;

    private MetricsLog(string path, Stream file)
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

            return new MetricsLog(path, OutputFile.Append(path));
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
        long before = _file.Position;
        try
        {
            // One write call per line: a reader, or a crash, never sees half of one.
            _file.Write(line.GetBuffer(), 0, (int)line.Length);
            _file.Flush();
        }
        catch (IOException e)
        {
            OutputFile.TakeBack(_file, before);
            throw new InputException($"{_path}: cannot be written ({e.Message})", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void DropAfter(string path, int resumedStep)
    {
        bool Stays(JsonElement line) => MetricsLines.StepOf(line) is { } step && step <= resumedStep;
        if (MetricsLines.Read(path, Stays).All(line => line.Wanted))
        {
            return;
        }

        AtomicFile.Write(path, stream =>
        {
            foreach ((ReadOnlyMemory<byte> line, bool wanted) in MetricsLines.Read(path, Stays))
            {
                if (wanted)
                {
                    stream.Write(line.Span);
                    stream.WriteByte((byte)'\n');
                }
            }
        });
    }
}
