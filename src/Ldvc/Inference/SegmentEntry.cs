using System.Text.Json;
using Ldvc.Configuration;
using Ldvc.Distributed;

namespace Ldvc.Inference;

/// <summary>What the list of a labelled folder holds of one picture.</summary>
/// <param name="Index">Its place in the list.</param>
/// <param name="Result">Its numbers, or what failed; null where nobody asks: those of a hundred thousand pictures are gigabytes.</param>
/// <param name="Failure">Why it failed; null when it did not.</param>
/// <param name="Coco">Its masks, where they are wanted.</param>
internal sealed record SegmentEntry(int Index, JsonElement? Result, string? Failure, CocoPicture? Coco)
{
    /// <summary>The entry of an outcome.</summary>
    /// <param name="index">Its place in the list.</param>
    /// <param name="outcome">What became of the picture.</param>
    /// <param name="numbers">Whether its numbers are kept.</param>
    /// <param name="coco">Number of classes whose masks are kept; 0 = none.</param>
    internal static SegmentEntry Of(int index, SegmentOutcome outcome, bool numbers, int coco)
    {
        object result = outcome.Result is { } labels ? labels.ToJson() : new { Image = outcome.Source.Path, Error = outcome.Failure!.Message };
        return new SegmentEntry(
            index,
            numbers ? JsonSerializer.SerializeToElement(result, JsonText.Format) : null,
            outcome.Failure?.Message,
            coco > 0 && outcome.Result is { } kept ? CocoPicture.Of(outcome.Source, kept.Labels, coco) : null);
    }

    /// <summary>The entries of all processes, in the order of the list, in the first one; in the others their own.</summary>
    internal static List<SegmentEntry> Gather(JobMember job, List<SegmentEntry> own)
    {
        if (job.IsAlone)
        {
            return own;
        }

        byte[][]? all = job.Group.Gather(JsonSerializer.SerializeToUtf8Bytes(own, JsonText.Format), root: 0);
        return all is null
            ? own
            : [.. all.SelectMany(part => JsonSerializer.Deserialize<SegmentEntry[]>(part, JsonText.Format)!).OrderBy(entry => entry.Index)];
    }
}
