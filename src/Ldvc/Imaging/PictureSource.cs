namespace Ldvc.Imaging;

/// <summary>A picture's file, and what its results are called.</summary>
/// <param name="Path">The file.</param>
/// <param name="Name">Below the folder of results, without an extension: "street/0001" for a picture of a sub-folder.</param>
internal sealed record PictureSource(string Path, string Name);
