using System.Globalization;

namespace Ldvc.Imaging;

/// <summary>Shares of a picture in words.</summary>
internal static class ShareText
{
    // Below it, one digit is 0.
    private const double Shown = 0.0005;

    /// <summary>"61.2"; what is there, but little, is not "0.0".</summary>
    /// <param name="share">From 0 to 1.</param>
    internal static string Percent(double share) =>
        share is > 0 and < Shown ? "<0.1" : (100 * share).ToString("F1", CultureInfo.InvariantCulture);
}
