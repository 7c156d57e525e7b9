namespace Ldvc.Kernels.MatMul.Cpu;

/// <summary>What the tiles of one group of K blocks share.</summary>
internal unsafe struct GemmArguments
{
    public float* A;
    public float* B;
    public float* C;
    public float* Bias;
    public float* PreActivation;
    public float* Residual;
    public float* ActivationGradientOf;

    /// <summary>Per thread: slivers of A where they are packed, the last rows, the tiles of C.</summary>
    public float* Scratch;

    /// <summary>Where B's panels are packed to, if they are not kept packed.</summary>
    public float* PackedB;

    /// <summary>The panels: those of PackedB, or those of a weight kept packed.</summary>
    public float* Panels;

    public int M;
    public int N;

    /// <summary>First K of the group.</summary>
    public int K0;

    /// <summary>K of the group.</summary>
    public int Ks;

    /// <summary>K of a block.</summary>
    public int Kc;
    public int Slivers;
    public int SliversPerBlock;
    public long ScratchLength;
    public int Lda;
    public int Ldb;
    public int Ldc;
    public int MBlocks;
    public int NBlocks;
    public int PanelCount;
    public int PackTiles;

    /// <summary>Floats from one k of a panel to the next.</summary>
    public int PanelWidth;

    /// <summary>Floats from one panel of PanelWidth columns to the next.</summary>
    public long PanelStride;
    public float Alpha;
    public bool PackA;
    public bool PackInBlock;
    public bool TransposeA;
    public bool TransposeB;
    public bool KeptPanels;
    public bool Add;
    public bool Last;
    public Activation Activation;

    /// <summary>Where panel `panel` of `nr` columns begins: a panel that is kept packed is as wide as the widest vectors want it.</summary>
    public readonly float* Panel(int panel, int nr)
    {
        int column = panel * nr;
        return Panels + (column / PanelWidth * PanelStride) + (column % PanelWidth);
    }
}
