using System.Runtime.InteropServices;
using ILGPU;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Up to eight of the arena's buffers as kernel arguments: kernels know no pointers, so a table names a tensor by buffer and offset.
/// </summary>
internal readonly struct ChunkViews
{
    internal const int Max = 8;

    internal ArrayView<float> C0 { get; init; }

    internal ArrayView<float> C1 { get; init; }

    internal ArrayView<float> C2 { get; init; }

    internal ArrayView<float> C3 { get; init; }

    internal ArrayView<float> C4 { get; init; }

    internal ArrayView<float> C5 { get; init; }

    internal ArrayView<float> C6 { get; init; }

    internal ArrayView<float> C7 { get; init; }

    /// <summary>A buffer by its place among the eight; the same for all threads of a group.</summary>
    internal static ArrayView<float> Pick(in ChunkViews chunks, int place) =>
        place == 0 ? chunks.C0 : place == 1 ? chunks.C1 : place == 2 ? chunks.C2 : place == 3 ? chunks.C3
        : place == 4 ? chunks.C4 : place == 5 ? chunks.C5 : place == 6 ? chunks.C6 : chunks.C7;
}

/// <summary>
/// A table of many tensors in device memory, for kernels that treat them all in one launch: a model has hundreds of small parameters, and a launch
/// costs as much as updating a hundred thousand of them. Row t holds: the number of groups before tensor t, elements, whether all addresses are
/// multiples of 16 bytes, a number of the kernel's own, then buffer and offset of up to four views. It is uploaded again only when it has changed.
/// </summary>
internal sealed class GpuTensorTable(GpuLauncher launcher, int roles) : IDisposable
{
    internal const int RowLength = 12;
    internal const int FirstGroup = 0;
    internal const int Elements = 1;
    internal const int Packed = 2;
    internal const int Extra = 3;
    internal const int FirstView = 4;

    private readonly List<int> _rows = [];
    private readonly List<Part> _parts = [];
    private readonly int[] _places = new int[ChunkViews.Max];
    private int[] _uploaded = [];
    private int _placeCount;
    private Tensor? _table;

    /// <summary>Launches with consecutive rows, enough of them that none touches more than eight buffers.</summary>
    internal IReadOnlyList<Part> Parts => _parts;

    /// <summary>Starts a new table.</summary>
    internal void Begin()
    {
        _rows.Clear();
        _parts.Clear();
        _placeCount = 0;
    }

    /// <summary>Adds a row.</summary>
    internal void Add(long count, float extra, params ReadOnlySpan<View> views)
    {
        if (_parts.Count == 0 || !Fits(views))
        {
            Close();
            _placeCount = 0;
            _parts.Add(new Part(_rows.Count / RowLength, 0, 0, default));
        }

        var part = _parts[^1];
        bool packed = true;
        int row = _rows.Count;
        _rows.AddRange([part.Groups, checked((int)count), 0, BitConverter.SingleToInt32Bits(extra), 0, 0, 0, 0, 0, 0, 0, 0]);
        for (int role = 0; role < roles; role++)
        {
            var storage = (GpuStorage)views[role].Storage;
            launcher.Device.Capture?.Touch(storage);
            long offset = (storage.ByteOffset / sizeof(float)) + views[role].Offset;
            packed &= offset % 4 == 0;
            _rows[row + FirstView + (2 * role)] = Place(storage.Chunk.Index);
            _rows[row + FirstView + (2 * role) + 1] = checked((int)offset);
        }

        _rows[row + Packed] = packed ? 1 : 0;
        _parts[^1] = part with { Rows = part.Rows + 1, Groups = part.Groups + GpuSizes.Groups(count, GpuPlan.TableElements) };
    }

    /// <summary>Brings the table to the device unless it is there already, and returns it.</summary>
    internal ArrayView<int> Upload()
    {
        Close();
        var rows = CollectionsMarshal.AsSpan(_rows);

        // A captured launch keeps its own table.
        if (launcher.Device.Capture is { } capture)
        {
            return capture.Constant(MemoryMarshal.AsBytes(rows)).Elements<int>(0);
        }

        if (_table is null || _table.Count < rows.Length)
        {
            // None while there is none: the allocation may fail.
            launcher.TableBlocks -= _table is null ? 0 : 1;
            _table?.Dispose();
            _table = null;
            _uploaded = [];
            _table = launcher.Device.Empty(new Shape(Math.Max(RowLength, rows.Length)), DType.Int32);
            launcher.TableBlocks++;
        }

        if (!rows.SequenceEqual(_uploaded))
        {
            _uploaded = [];
            launcher.Device.UploadAddresses(_table.Storage, MemoryMarshal.AsBytes(rows));
            _uploaded = rows.ToArray();
        }

        return _table.View.GpuInts;
    }

    /// <summary>In a kernel: the row whose groups hold group number `group`.</summary>
    internal static int Find(ArrayView<int> table, int rows, int group)
    {
        int low = 0, high = rows - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (table[(middle * RowLength) + FirstGroup] <= group)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }

    /// <inheritdoc/>
    public void Dispose() => _table?.Dispose();

    private bool Fits(ReadOnlySpan<View> views)
    {
        int added = 0;
        for (int role = 0; role < roles; role++)
        {
            added += Array.IndexOf(_places, ((GpuStorage)views[role].Storage).Chunk.Index, 0, _placeCount) < 0 ? 1 : 0;
        }

        return _placeCount + added <= ChunkViews.Max;
    }

    private int Place(int chunk)
    {
        int place = Array.IndexOf(_places, chunk, 0, _placeCount);
        if (place < 0)
        {
            place = _placeCount++;
            _places[place] = chunk;
        }

        return place;
    }

    // A part's buffers are known once its last row is in.
    private void Close()
    {
        if (_parts.Count > 0 && _placeCount > 0)
        {
            var views = new ArrayView<float>[ChunkViews.Max];
            for (int i = 0; i < views.Length; i++)
            {
                var chunk = launcher.Device.Chunks[_places[Math.Min(i, _placeCount - 1)]]!;
                views[i] = chunk.Memory.Cast<float>();
            }

            _parts[^1] = _parts[^1] with
            {
                Chunks = new ChunkViews
                {
                    C0 = views[0],
                    C1 = views[1],
                    C2 = views[2],
                    C3 = views[3],
                    C4 = views[4],
                    C5 = views[5],
                    C6 = views[6],
                    C7 = views[7],
                },
            };
        }
    }

    /// <summary>One launch: its first row, its rows and groups, its buffers.</summary>
    internal readonly record struct Part(int FirstRow, int Rows, int Groups, ChunkViews Chunks);
}
