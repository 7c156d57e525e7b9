using Ldvc.Configuration;

namespace Ldvc.Import;

/// <summary>What a checkpoint of ZegCLIP is imported with.</summary>
/// <param name="File">The checkpoint, a .pth of mmcv's.</param>
/// <param name="Clip">Folder or file of the CLIP that it was trained on.</param>
/// <param name="Embeddings">NumPy file of class embeddings; null = they are computed from the names.</param>
/// <param name="Setting">How it was trained; null = as the file says.</param>
/// <param name="ClassesFile">File with the class names, one a line; null = as the file says.</param>
/// <param name="Unseen">Names of the classes without masks; null = as the file or the data set's published split says.</param>
/// <param name="Sets">"a.b=value" each, over the configuration that the checkpoint gets.</param>
internal sealed record ImportRequest(
    string File, string Clip, string? Embeddings, TrainSetting? Setting, string? ClassesFile, string[]? Unseen, string[] Sets);
