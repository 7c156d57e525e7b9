using System.Text.Json;
using MathNet.Numerics.Statistics;

namespace Ldvc.Lab.Ablation;

/// <summary>Reads back what a run wrote into metrics.jsonl.</summary>
internal static class RunMetrics
{
    /// <summary>One series, e.g. "loss": (step, value) of every line that has it. Empty when there is no such file.</summary>
    internal static IReadOnlyList<(double Step, double Value)> Read(string runFolder, string name)
    {
        string path = Path.Combine(runFolder, "metrics.jsonl");
        var points = new List<(double, double)>();
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            try
            {
                using JsonDocument json = JsonDocument.Parse(line);
                if (json.RootElement.TryGetProperty("step", out JsonElement step)
                    && json.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number)
                {
                    points.Add((step.GetDouble(), value.GetDouble()));
                }
            }
            catch (JsonException)
            {
                // The torn last line of a killed process.
            }
        }

        return points;
    }

    /// <summary>The median of a series; NaN when it is empty.</summary>
    internal static double Median(IReadOnlyList<(double Step, double Value)> points) => points.Select(p => p.Value).Median();
}
