namespace Ldvc.Imaging.Matlab;

/// <summary>
/// What an array is to MATLAB (MAT-file format, version 5, "array types"). Numbers may be stored in a smaller <see cref="MatType"/>.
/// </summary>
internal enum MatKind
{
    Cell = 1,
    Struct = 2,
    Object = 3,
    Char = 4,
    Sparse = 5,
    Double = 6,
    Single = 7,
    Int8 = 8,
    UInt8 = 9,
    Int16 = 10,
    UInt16 = 11,
    Int32 = 12,
    UInt32 = 13,
    Int64 = 14,
    UInt64 = 15,
}
