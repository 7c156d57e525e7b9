using Ldvc.Imaging;
using Ldvc.Imaging.Matlab;
using Ldvc.Tensors;

namespace Ldvc.Data;

/// <summary>Reads label maps from the formats that data sets have them in.</summary>
internal static class LabelFile
{
    /// <summary>How names of MATLAB files end.</summary>
    internal const string MatlabExtension = ".mat";

    /// <summary>Reads the stored numbers of a PNG (<see cref="PngLabels"/>) or MATLAB file (<see cref="MatLabels"/>).</summary>
    /// <exception cref="InputException">Missing, damaged or truncated file, or one of another format.</exception>
    internal static LabelMap16 Read(string path)
    {
        byte[] file = InputFile.ReadAllBytes(path);
        bool isMatlab = MatFile.Is(file) || path.EndsWith(MatlabExtension, StringComparison.OrdinalIgnoreCase);
        return isMatlab ? MatLabels.Decode(file, path) : PngLabels.Decode(file, path);
    }
}
