using System.Text;

namespace Ldvc.Imaging;

/// <summary>COCO's compressed run lengths of a mask: column by column, runs of 0 and 1 in turn, 0 first.</summary>
internal static class RunLengths
{
    /// <summary>Lengths of the runs of pixels that are not, are, are not ... of a label, column by column.</summary>
    /// <param name="labels">Row-major labels.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="label">The label.</param>
    internal static List<long> Of(ReadOnlySpan<ushort> labels, int width, int height, int label)
    {
        var runs = new List<long>();
        bool current = false;
        long length = 0;
        for (int x = 0; x < width; x++)
        {
            for (int y = 0; y < height; y++)
            {
                bool inside = labels[(y * width) + x] == label;
                if (inside != current)
                {
                    runs.Add(length);
                    (current, length) = (inside, 0);
                }

                length++;
            }
        }

        runs.Add(length);
        return runs;
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
