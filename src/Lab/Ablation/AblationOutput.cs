using System.Globalization;
using System.Text;
using Ldvc.Configuration;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Lab.Ablation;

/// <summary>ablation.md and ablation.json.</summary>
internal static class AblationOutput
{
    /// <summary>Writes both with what there is so far.</summary>
    internal static void Write(AblationFolder folder, AblationResults results)
    {
        AtomicFile.WriteText(folder.MarkdownPath, Markdown(results));
        JsonText.Write(folder.JsonPath, Json(results));
    }

    /// <summary>The tables as Markdown.</summary>
    internal static string Markdown(AblationResults results)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Comparison, {ConfigWriter.EnumName(results.Config.Train.Setting)} setting\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{results.Count} of {results.Plan.Runs.Count} runs of {results.Config.Train.Steps} steps.\n");
        foreach (AblationTable table in AblationTables.All(results))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n**{Cell(table.Caption)}**\n\n");
            Row(text, table.Headers);
            Row(text, table.Headers.Select((_, i) => i == 0 ? "---" : "---:"));
            foreach (IReadOnlyList<string> row in table.Rows)
            {
                Row(text, row);
            }
        }

        IReadOnlyList<string> sentences = AblationTables.Sentences(results);
        if (sentences.Count > 0)
        {
            text.Append("\n**What may be said of these runs**\n\n").AppendJoin('\n', sentences.Select(sentence => "- " + sentence)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>
    /// Every run, mean and standard deviation of every variant, and paired t-tests against the first row, for programs. Shares of 1.
    /// </summary>
    internal static object Json(AblationResults results) => new
    {
        Setting = ConfigWriter.EnumName(results.Config.Train.Setting),
        results.Config.Train.Steps,
        RunsDone = results.Count,
        Runs = results.Plan.Runs.Count,
        Sentences = AblationTables.Sentences(results),
        Rows = results.Plan.ScoredRows.Select(v => Variant(results, v)).ToArray(),
        Sweeps = results.Plan.Sweeps.Select(v => Variant(results, v)).ToArray(),
    };

    private static object Variant(AblationResults results, AblationVariant variant) => new
    {
        variant.Key,
        variant.Title,
        variant.Sweep,
        variant.Value,
        Cost = results.Costs.GetValueOrDefault(variant.Key),
        Scores = Lines(results, variant, r => r.Scores),
        NoPenalty = Lines(results, variant, r => r.NoPenalty),
        Shuffled = Lines(results, variant, r => r.Shuffled),
        PairedTest = Tests(results, variant),
        PiecesPerObject = results.Over(variant, r => r.PiecesPerObject),
        LargePiecesPerObject = results.Over(variant, r => r.LargePiecesPerObject),
        RightPiecesPerFound = results.Over(variant, r => r.RightPiecesPerFound),
        Runs = results.Of(variant),
    };

    private static object Lines(AblationResults results, AblationVariant variant, Func<RunResult, ScoreLine> line) => new
    {
        PixelAccuracy = results.Over(variant, r => line(r).PixelAccuracy),
        MiouSeen = results.Over(variant, r => line(r).Seen),
        MiouUnseen = results.Over(variant, r => line(r).Unseen),
        Hiou = results.Over(variant, r => line(r).Harmonic),
    };

    // Null for the first trained row itself and for the CLIP alone, and where there are fewer than two pairs.
    private static object? Tests(AblationResults results, AblationVariant variant)
    {
        if (results.Plan.Rows.Count < 2 || variant.Key == results.Plan.Rows[0].Key || variant.Key == results.Plan.TrainingFree?.Key)
        {
            return null;
        }

        PairedTTest? Test(Func<ScoreLine, double> number) => results.Test(variant, results.Plan.Rows[0], r => number(r.Scores));
        return new
        {
            PixelAccuracy = Test(s => s.PixelAccuracy),
            MiouSeen = Test(s => s.Seen),
            MiouUnseen = Test(s => s.Unseen),
            Hiou = Test(s => s.Harmonic)
        };
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells.Select(Cell)).Append(" |\n");

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
