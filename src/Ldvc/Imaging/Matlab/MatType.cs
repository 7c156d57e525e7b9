namespace Ldvc.Imaging.Matlab;

/// <summary>How the numbers of a data element are stored (MAT-file format, version 5, "MAT-file data types").</summary>
internal enum MatType
{
    Int8 = 1,
    UInt8 = 2,
    Int16 = 3,
    UInt16 = 4,
    Int32 = 5,
    UInt32 = 6,
    Single = 7,
    Double = 9,
    Int64 = 12,
    UInt64 = 13,
    Matrix = 14,
    Compressed = 15,
}
