using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Import;

/// <summary>Compares the CLIP that lies in a checkpoint of ZegCLIP with the one that is to be used instead.</summary>
internal static class FrozenClip
{
    /// <summary>Refuses another CLIP. Values must be equal in the file's own precision, resized positions up to rounding.</summary>
    /// <param name="archive">The checkpoint.</param>
    /// <param name="clip">The CLIP in use.</param>
    /// <param name="clipPath">Its path, for messages.</param>
    /// <exception cref="InputException">A tensor is missing, has another shape or other values; the first one of the model is named.</exception>
    internal static void Check(TensorArchive archive, ClipModel clip, string clipPath)
    {
        foreach (var (name, parameter) in clip.Parameters())
        {
            if (ZegClipNames.Frozen(name) is not { } theirs)
            {
                continue;
            }

            int[] shape = parameter.Shape.ToArray();
            float[] own = parameter.Value.ToArray();
            float tolerance = 0;
            if (theirs == ZegClipNames.Positions)
            {
                (own, shape, tolerance) = Positions(archive, own, clip.Config);
            }
            else if (name is "visual.proj" or "text_projection")
            {
                (own, shape) = (Transpose(own, shape[0], shape[1]), [shape[1], shape[0]]);
            }

            Compare(archive, theirs, own, shape, tolerance, clipPath);
        }
    }

    /// <summary>
    /// Patches along an edge of the pictures it was trained on, from its position embeddings: one for the class token, one for each patch.
    /// </summary>
    /// <exception cref="InputException">The number of rows is no such number.</exception>
    internal static int Grid(TensorArchive archive)
    {
        TensorEntry entry = archive.Entry(ZegClipNames.Positions);
        long patches = entry.Shape is [> 1 and <= 1 << 20, _] ? entry.Shape[0] - 1 : 0, edge = (long)Math.Round(Math.Sqrt(patches));
        return edge > 0 && edge * edge == patches
            ? (int)edge
            : throw new InputException(
                $"{archive.Path}: tensor {entry}: expected a row for the class token and one for each patch of a square picture.");
    }

    private static (float[] Values, int[] Shape, float Tolerance) Positions(TensorArchive archive, float[] own, Clip.ClipConfig config)
    {
        int grid = Grid(archive), width = config.Vision.Width;
        int[] shape = [1 + (grid * grid), width];
        if (grid == config.Grid)
        {
            return (own, shape, 0);
        }

        float largest = own.Max(MathF.Abs);
        float rounding = archive.Entry(ZegClipNames.Positions).DType switch
        {
            DType.Float16 => 1e-3f,
            DType.BFloat16 => 1e-2f,
            _ => 2e-6f,
        };
        return (PositionEmbedding.Resize(own, config.Grid, grid, grid, width), shape, rounding * largest);
    }

    private static void Compare(TensorArchive archive, string name, float[] own, int[] shape, float tolerance, string clipPath)
    {
        TensorEntry entry = ZegClipFile.Entry(archive, name, shape, $", as in {clipPath}; it was trained on another CLIP");
        float[] values = archive.ReadFloat32(name);
        float Rounded(float value) => entry.DType switch
        {
            DType.Float16 => (float)(Half)value,
            DType.BFloat16 => HalfConversion.BFloat16ToSingle(HalfConversion.SingleToBFloat16(value)),
            _ => value,
        };
        for (int i = 0; i < values.Length; i++)
        {
            bool equal = tolerance > 0 ? MathF.Abs(values[i] - own[i]) <= tolerance : values[i] == Rounded(own[i]);
            if (!equal)
            {
                throw new InputException(
                    $"{archive.Path}: was trained on another CLIP than {clipPath}: tensor '{name}' differs, at element {i} it is "
                        + $"{ConfigText.Number(values[i])}, "
                    + $"expected {ConfigText.Number(Rounded(own[i]))}.");
            }
        }
    }

    private static float[] Transpose(float[] values, int rows, int columns)
    {
        var transposed = new float[values.Length];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                transposed[(j * rows) + i] = values[(i * columns) + j];
            }
        }

        return transposed;
    }
}
