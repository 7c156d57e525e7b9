using Ldvc.Imaging;

namespace Ldvc.Lab.Reports;

/// <summary>One number worth a box, e.g. ("hIoU", "84.3", "± 1.1 over 3 seeds"); <paramref name="IsMain"/> marks the one to look at first.</summary>
internal sealed record ReportCard(string Label, string Value, string Note = "", bool IsMain = false);

/// <summary>A row of a class table: <paramref name="Share"/> is 0..1, or NaN for a class that does not occur.</summary>
internal sealed record ClassRow(string Name, double Share, bool IsUnseen);

/// <summary>A picture with its heading.</summary>
internal sealed record ReportPicture(string Title, RgbImage Image);

/// <summary>One entry of a colour legend.</summary>
internal sealed record LegendEntry(string Name, byte R, byte G, byte B);
