using Ldvc.Imaging;

namespace Ldvc.Inference;

/// <summary>
/// How fragmented predictions are. An object is a connected region of one class in the ground truth; its pieces are the connected regions of equal
/// predicted
/// class inside it, whether or not the class is right. A prediction that gives every object one class has exactly one piece per object.
/// A model decides about patches; pieces smaller than one are where interpolated scores of several classes cross, along an object's edge above all.
/// So pieces of at least a patch's area are counted, too.
/// </summary>
internal sealed class Fragmentation
{
    /// <summary>Objects of fewer pixels are not counted: what an occluder leaves of an object may be a few pixels.</summary>
    internal const int SmallestObject = 16;

    /// <summary>Objects so far.</summary>
    internal long Objects { get; private set; }

    /// <summary>Pieces of all objects, whatever their class.</summary>
    internal long Pieces { get; private set; }

    /// <summary>Those of at least a patch's area.</summary>
    internal long LargePieces { get; private set; }

    /// <summary>Objects of which at least one pixel has the right class.</summary>
    internal long Found { get; private set; }

    /// <summary>Pieces of the right class.</summary>
    internal long RightPieces { get; private set; }

    /// <summary>Mean pieces of an object, 1 at best; NaN without objects.</summary>
    internal double PiecesPerObject => Objects == 0 ? double.NaN : (double)Pieces / Objects;

    /// <summary>Mean pieces of at least a patch's area of an object; NaN without objects. Below 1 where objects are smaller than a patch.</summary>
    internal double LargePiecesPerObject => Objects == 0 ? double.NaN : (double)LargePieces / Objects;

    /// <summary>Mean pieces of the right class of an object that has any, 1 at best; NaN when none has.</summary>
    internal double RightPiecesPerFound => Found == 0 ? double.NaN : (double)RightPieces / Found;

    /// <summary>Adds a picture.</summary>
    /// <param name="truth">The ground truth.</param>
    /// <param name="prediction">The prediction, of the same size.</param>
    /// <param name="patchArea">Pixels of the picture that one patch covers.</param>
    internal void Add(LabelMap truth, LabelMap prediction, double patchArea)
    {
        if (truth.Width != prediction.Width || truth.Height != prediction.Height)
        {
            throw new ArgumentException(
                $"fragmentation: truth {truth.Width}x{truth.Height}, prediction {prediction.Width}x{prediction.Height}", nameof(prediction));
        }

        int pixels = truth.Count;
        var keys = new long[pixels];
        for (int i = 0; i < pixels; i++)
        {
            keys[i] = truth.ClassAt(i);
        }

        var objects = new int[pixels];
        int count = ConnectedRegions.Label(keys, truth.Width, objects);
        var sizes = new int[count];
        foreach (int number in objects)
        {
            if (number >= 0)
            {
                sizes[number]++;
            }
        }

        // A key of (object, predicted class) cuts pieces off at the object's edge.
        for (int i = 0; i < pixels; i++)
        {
            keys[i] = objects[i] >= 0 && sizes[objects[i]] >= SmallestObject ? ((long)objects[i] << 16) | (ushort)prediction.ClassAt(i) : -1;
        }

        var pieces = new int[pixels];
        int pieceCount = ConnectedRegions.Label(keys, truth.Width, pieces);
        var pieceSizes = new int[pieceCount];
        var found = new bool[count];
        for (int i = 0; i < pixels; i++)
        {
            if (pieces[i] >= 0 && ++pieceSizes[pieces[i]] == 1 && prediction.ClassAt(i) == truth.ClassAt(i))
            {
                RightPieces++;
                found[objects[i]] = true;
            }
        }

        Pieces += pieceCount;
        LargePieces += pieceSizes.Count(size => size >= patchArea);
        Objects += sizes.Count(size => size >= SmallestObject);
        Found += found.Count(f => f);
    }
}
