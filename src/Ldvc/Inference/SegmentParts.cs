namespace Ldvc.Inference;

/// <summary>What is written of a segmented picture besides its labels (NAME.png) and numbers (NAME.json).</summary>
[Flags]
internal enum SegmentParts
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>NAME.overlay.png: colours over the picture, with a legend below.</summary>
    Overlay = 1,

    /// <summary>NAME.plain.png: the same without the legend, of the picture's size.</summary>
    Plain = 2,

    /// <summary>NAME.masks/INDEX-CLASS.png: black and white, one for each class that occurs.</summary>
    Masks = 4,

    /// <summary>NAME.probabilities.safetensors: what the labels are the largest of, [C, H, W].</summary>
    Probabilities = 8,

    /// <summary>coco.json: all pictures' masks as COCO's run lengths.</summary>
    Coco = 16,
}
