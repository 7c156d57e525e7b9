namespace Ldvc.Ptx;

/// <summary>A launch of a kernel.</summary>
/// <param name="By">What launches it.</param>
/// <param name="Grid">Groups in x, y and z.</param>
/// <param name="DynamicSharedBytes">Shared memory besides what the code declares.</param>
/// <param name="Arguments">The argument's numbers by name, and views as type and length.</param>
internal sealed record PtxLaunch(string By, int[] Grid, int DynamicSharedBytes, Dictionary<string, object> Arguments);
