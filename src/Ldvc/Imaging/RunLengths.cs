using System.Text;

namespace Ldvc.Imaging;

/// <summary>COCO's compressed run lengths of masks: column by column, runs of 0 and 1 in turn, 0 first.</summary>
internal static class RunLengths
{
    /// <summary>
    /// Lengths of the runs of pixels that are not, are, are not ... of a label, column by column, of all labels in one pass.
    /// </summary>
    /// <param name="labels">Row-major labels.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="count">Labels from 0 to before this one are looked at.</param>
    /// <returns>The runs of each label; null for one that does not occur.</returns>
    internal static List<long>?[] Of(ReadOnlySpan<ushort> labels, int width, int height, int count)
    {
        var runs = new List<long>?[count];
        var last = new (int Start, int End)[count];
        for (int x = 0, at = 0; x < width; x++)
        {
            for (int y = 0; y < height; y++, at++)
            {
                int label = labels[(y * width) + x];
                if (label >= count)
                {
                    continue;
                }

                ref (int Start, int End) run = ref last[label];
                if (runs[label] is { } before && run.End != at)
                {
                    before.Add(run.End - run.Start);
                    before.Add(at - run.End);
                    run.Start = at;
                }
                else if (runs[label] is null)
                {
                    runs[label] = [at];
                    run.Start = at;
                }

                run.End = at + 1;
            }
        }

        for (int label = 0; label < count; label++)
        {
            if (runs[label] is { } all)
            {
                all.Add(last[label].End - last[label].Start);
                if (last[label].End < labels.Length)
                {
                    all.Add(labels.Length - last[label].End);
                }
            }
        }

        return runs;
    }

    /// <summary>Number of pixels in the runs that are of the label, and what encloses them: left, top, width and height.</summary>
    /// <param name="runs">Runs as <see cref="Of"/> gives them.</param>
    /// <param name="height">Rows.</param>
    internal static (long Area, int[] Bbox) Enclose(IReadOnlyList<long> runs, int height)
    {
        long area = 0, at = 0;
        int left = int.MaxValue, top = int.MaxValue, right = -1, bottom = -1;
        for (int i = 0; i < runs.Count; i++)
        {
            if (i % 2 == 1)
            {
                int first = (int)(at / height), last = (int)((at + runs[i] - 1) / height);
                // A run that goes on in the next column has reached the bottom and the top.
                int low = first == last ? (int)(at % height) : 0, high = first == last ? (int)((at + runs[i] - 1) % height) : height - 1;
                (left, right, top, bottom) = (Math.Min(left, first), Math.Max(right, last), Math.Min(top, low), Math.Max(bottom, high));
                area += runs[i];
            }

            at += runs[i];
        }

        return (area, area == 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1]);
    }

    /// <summary>
    /// The text that pycocotools reads as "counts": from the fourth run on, the difference to the run two before; each number in groups of five bits,
    /// low ones first, a sixth bit for "more follows", the sign in the last group's fifth bit, plus 48.
    /// </summary>
    internal static string Encode(IReadOnlyList<long> runs)
    {
        var text = new StringBuilder();
        for (int i = 0; i < runs.Count; i++)
        {
            long value = i > 2 ? runs[i] - runs[i - 2] : runs[i];
            bool more = true;
            while (more)
            {
                int group = (int)(value & 0x1F);
                value >>= 5;
                more = (group & 0x10) != 0 ? value != -1 : value != 0;
                text.Append((char)(48 + (more ? group | 0x20 : group)));
            }
        }

        return text.ToString();
    }
}
