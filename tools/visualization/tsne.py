from pcdet_kd.cli.tsne import main

if __name__ == '__main__':
    raise SystemExit(main())
