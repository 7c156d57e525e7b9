namespace Ldvc.Kernels.Elementwise.Cpu;

internal unsafe struct RelationshipArguments
{
    public float* T;
    public float* G;
    public float* Y;
    public float* Dt;
    public float* Dg;
    public int Batch;
    public int Classes;
    public int Width;
}

/// <summary>[ t * g ; t ] and its gradients: a few thousand numbers, so plain loops.</summary>
internal static unsafe class CpuRelationship
{
    internal static void Forward(RelationshipArguments* a, int batch, int worker)
    {
        int width = a->Width;
        float* g = a->G + ((long)batch * width);
        for (int c = 0; c < a->Classes; c++)
        {
            float* t = a->T + ((long)c * width);
            float* y = a->Y + ((((long)batch * a->Classes) + c) * 2 * width);
            for (int i = 0; i < width; i++)
            {
                y[i] = t[i] * g[i];
                y[width + i] = t[i];
            }
        }
    }

    internal static void TextGradient(RelationshipArguments* a, int c, int worker)
    {
        int width = a->Width;
        float* dt = a->Dt + ((long)c * width);
        for (int b = 0; b < a->Batch; b++)
        {
            float* g = a->G + ((long)b * width);
            float* dy = a->Y + ((((long)b * a->Classes) + c) * 2 * width);
            for (int i = 0; i < width; i++)
            {
                dt[i] += (dy[i] * g[i]) + dy[width + i];
            }
        }
    }

    internal static void ImageGradient(RelationshipArguments* a, int batch, int worker)
    {
        int width = a->Width;
        float* dg = a->Dg + ((long)batch * width);
        for (int c = 0; c < a->Classes; c++)
        {
            float* t = a->T + ((long)c * width);
            float* dy = a->Y + ((((long)batch * a->Classes) + c) * 2 * width);
            for (int i = 0; i < width; i++)
            {
                dg[i] += dy[i] * t[i];
            }
        }
    }
}
